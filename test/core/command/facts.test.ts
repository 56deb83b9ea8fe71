/**
 * What the usage line, group, flags and access of every command of Redis 7.0 say, compared with
 * what a real server says.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: repeats an answer of the real server in a file.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { replyDocs, replyInfo } from '../../../src/core/command/docs.ts'
import { CommandTable } from '../../../src/core/command/table.ts'
import { hasRedis, type RealServer } from '../../config/real-server.ts'
import { factGroups } from './facts.ts'
import {
  ask,
  askRaw,
  ownDocs,
  realDocs,
  realInfos,
  startReal,
  withoutChildren,
  written,
} from './shapes.ts'

const table = new CommandTable(factGroups())

describe('the facts', () => {
  test('make a table of 240 commands and 126 subcommands', () => {
    expect(table.lookupTable().length).toBe(240)
    expect(table.entries.length).toBe(366)
  })

  test('compile to what the engine reads', () => {
    const set = table.findName('set')!
    expect([set.arity, set.firstKey, set.lastKey, set.keyStep, set.firstKeyIndex]).toEqual([
      -3, 1, 1, 1, 1,
    ])
    const config = table.findName('CONFIG|get')!
    expect([config.name, config.upperName, config.arity]).toEqual(['config|get', 'CONFIG|GET', -3])
    expect(config.parent?.name).toBe('config')
    expect(table.findName('object|freq')!.firstKeyIndex).toBe(0)
    expect(table.findName('zunion')!.firstKeyIndex).toBe(0)
    expect(table.findName('spublish')!.firstKeyIndex).toBe(0)
  })
})

describe.if(hasRedis)('beside redis-server (left out when it is not installed)', () => {
  let real: RealServer
  beforeAll(async () => {
    real = await startReal()
  })
  afterAll(() => real.stop())

  test('every command and subcommand of one is in the other', async () => {
    const names = [...(await realInfos(real)).keys()]
    expect(table.entries.map(({ name }) => name).sort()).toEqual(names.sort())
  })

  test('COMMAND INFO is the same for every command', async () => {
    const infos = await realInfos(real)
    for (const entry of table.entries) {
      const own = written(3, (reply) => replyInfo(reply, entry))
      expect(withoutChildren(own)).toEqual(infos.get(entry.name)!)
    }
  })

  test('COMMAND DOCS is the same for every command, its arguments included', async () => {
    const docs = await realDocs(real)
    for (const entry of table.entries) {
      expect([entry.name, ownDocs(replyDocs, entry)]).toEqual([entry.name, docs.get(entry.name)!])
    }
  })

  test('COMMAND INFO is the same in RESP2, byte for byte where no text is worded', async () => {
    for (const name of ['get', 'memory|usage', 'xreadgroup', 'lmpop', 'ping']) {
      const entry = table.findName(name)!
      const own = written(2, (reply) => {
        reply.array(1)
        replyInfo(reply, entry)
      })
      expect(own).toEqual(await ask(real, 2, 'COMMAND', 'INFO', name))
    }
  })

  test('COMMAND DOCS in RESP2 flattens the maps that RESP3 has', async () => {
    const entry = table.findName('get')!
    const own = written(2, (reply) => {
      reply.map(1)
      replyDocs(reply, entry)
    })
    const text = await askRaw(real, 2, 'COMMAND', 'DOCS', 'get')
    expect(text.startsWith('*2\r\n$3\r\nget\r\n*10\r\n')).toBe(true)
    // Ours has no complexity here, and another summary.
    const arguments_ = ['name', 'key', 'type', 'key', 'key_spec_index', 0]
    const fields = [
      'summary',
      'GET',
      'since',
      '1.0.0',
      'group',
      'string',
      'arguments',
      [arguments_],
    ]
    expect(own).toEqual(['get', fields])
  })
})
