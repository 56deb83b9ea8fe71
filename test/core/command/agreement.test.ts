/**
 * Redbun's own definitions beside a real server: arity, flags, keys, categories, tips, arguments.
 *
 * Commands and arguments that came after the real server's version are left out.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: runs a command of ours.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { replyDocs, replyInfo } from '../../../src/core/command/docs.ts'
import { type CommandEntry, CommandTable } from '../../../src/core/command/table.ts'
import { commandGroups } from '../../../src/core/commands.ts'
import { hasRedis, type RealServer } from '../../config/real-server.ts'
import {
  isLaterVersion,
  ownDocs,
  realDocs,
  realInfos,
  type Shape,
  startReal,
  withoutChildren,
  written,
} from './shapes.ts'

const table = new CommandTable(commandGroups)
const compared = table.entries.filter(({ definition }) => !isLaterVersion(definition.since))

/** These take one argument more since Redis 7.2, which changes their arity. */
const GREW_LATER = ['zrank', 'zrevrank']

/** Redis tells no cost of these. */
const WITHOUT_COMPLEXITY = ['LOLWUT', 'MONITOR']

describe('the definitions', () => {
  test.each(table.entries.map((entry) => [entry.name, entry] as const))(
    '%s says what it does in a sentence, since when and at what cost',
    (_, { definition }) => {
      expect(definition.summary).toMatch(/^[A-Z].*\.$/)
      expect(definition.since).toMatch(/^\d+\.\d+\.\d+$/)
      expect(definition.complexity === '').toBe(WITHOUT_COMPLEXITY.includes(definition.name))
    },
  )
})

describe.if(hasRedis)('beside redis-server (left out when it is not installed)', () => {
  let real: RealServer
  let infos: Map<string, Shape>
  let docs: Map<string, Shape>
  beforeAll(async () => {
    real = await startReal()
    infos = await realInfos(real)
    docs = await realDocs(real)
  })
  afterAll(() => real.stop())

  test.each(compared.map((entry) => [entry.name, entry] as const))(
    '%s is described alike',
    (name: string, entry: CommandEntry) => {
      expect(infos.has(name)).toBe(true)
      const info = written(3, (reply) => replyInfo(reply, entry))
      if (GREW_LATER.includes(name)) expect(info).not.toEqual(infos.get(name)!)
      else expect(withoutChildren(info)).toEqual(infos.get(name)!)
      expect(ownDocs(replyDocs, entry)).toEqual(docs.get(name)!)
    },
  )
})
