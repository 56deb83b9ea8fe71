/**
 * Asking for a password: typed on a terminal it shows as stars, else it is a line of standard input.
 *
 * Thread: the client's only one.
 * Owns: the terminal while it asks.
 * Never: shows or keeps what is typed.
 */
const ENTER = '\r'
const LINE_END = '\n'
const INTERRUPT = '\x03'
const BACKSPACES = ['\x7f', '\b']
const TAKE_STAR_BACK = '\b \b'

export async function askPassword(): Promise<string> {
  const { stdin, stdout } = process
  const isTerminal = stdin.isTTY === true
  if (isTerminal) {
    stdout.write('Please input password: ')
    stdin.setRawMode(true)
  }
  let typed = ''
  for await (const chunk of stdin) {
    for (const character of String(chunk)) {
      if (character === ENTER || character === LINE_END) return finish(typed)
      if (character === INTERRUPT) process.exit(1)
      const takesBack = BACKSPACES.includes(character)
      if (!takesBack) typed += character
      else if (typed === '') continue
      else typed = typed.slice(0, -1)
      if (isTerminal) stdout.write(takesBack ? TAKE_STAR_BACK : '*')
    }
  }
  return finish(typed)
}

function finish(typed: string): string {
  const { stdin, stdout } = process
  if (stdin.isTTY) {
    stdin.setRawMode(false)
    stdout.write('\n')
  }
  stdin.pause()
  return typed
}
