/**
 * Attacks EVAL: with snippets put together by chance, and scripts that work, changed. What runs for too
 * long is ended with SCRIPT KILL, or with SHUTDOWN where it has written.
 *
 * Thread: any.
 * Owns: nothing: endless.ts keeps the server.
 * Never: looks at a reply.
 */
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import type { Dice } from '../conformance/dice.ts'
import { Generator } from '../conformance/generator.ts'
import { EndlessServer } from './endless.ts'
import { changedScript, snippet } from './lua-code.ts'
import { attackOn, type Target } from './target.ts'

const SCRIPTS_COUNT = 40

const { entries } = new CommandTable(commandGroups)

export const lua: Target = {
  name: 'lua',
  summary: 'random and changed scripts through EVAL, those that do not end killed',
  async begin() {
    const server = await EndlessServer.start()
    return attackOn(server, (dice) => round(server, dice))
  },
}

async function round(server: EndlessServer, dice: Dice): Promise<void> {
  const generator = new Generator(dice, entries)
  for (let i = 0; i < SCRIPTS_COUNT; i++) {
    const script = dice.chance(50) ? snippet(dice, generator) : changedScript(dice)
    const name = dice.pick(['EVAL', 'EVAL', 'EVAL_RO'])
    try {
      await server.ask([name, script, '2', 'k', 's', 'a', '12', '\xff\0'])
    } catch (error) {
      const text = JSON.stringify(script.toString('latin1'))
      throw new Error(`EVAL ${text}: ${(error as Error).message}`)
    }
  }
  await server.expectHealth()
}
