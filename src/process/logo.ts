/**
 * What is shown at the start.
 *
 * Thread: main.
 * Owns: the picture.
 * Never: matters. (Redis's test suite waits for the line with the process id.)
 */
import { REDBUN_VERSION, REDIS_VERSION } from '../config/version.ts'

export function logo(port: number): string {
  return [
    '',
    '        ___',
    `     .-"   "-.        Redbun ${REDBUN_VERSION}, as Redis ${REDIS_VERSION}`,
    '    /  o   o  \\       Running in standalone mode',
    `   |     ^     |      Port: ${port}`,
    `    \\  '---'  /       PID: ${process.pid}`,
    "     '-.___.-'",
    '',
    '',
  ].join('\n')
}
