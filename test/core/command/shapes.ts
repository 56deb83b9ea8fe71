/**
 * What servers say of their commands, as plain values that compare: the real one over its socket,
 * ours through its reply writer.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: keeps texts that each server words for itself.
 */
import { join } from 'node:path'
import type { CommandEntry } from '../../../src/core/command/table.ts'
import { Reply } from '../../../src/core/engine/reply.ts'
import { RealServer } from '../../config/real-server.ts'

/** A reply with its kinds of aggregate kept apart. */
export type Shape = string | number | null | Shape[] | { set: Shape[] } | { map: [string, Shape][] }

/** What is worded by each server for itself, or grows with each version. */
const OWN_WORDS = ['summary', 'complexity', 'history', 'replaced_by', 'notes', 'subcommands']
const COMPARED_VERSION = '7.0.15'

export function startReal(): Promise<RealServer> {
  return RealServer.start(['--port', '0', '--unixsocket', 's', '--save', ''])
}

/** The raw bytes of the reply to `words` in RESP2 or RESP3, one a character. */
export async function askRaw(
  server: RealServer,
  protocol: number,
  ...words: readonly string[]
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  let replies = 0
  const socket = await Bun.connect({
    unix: join(server.directory, 's'),
    socket: {
      data(_, chunk) {
        text += chunk.toString('latin1')
        for (;;) {
          const parsed = readShape(text, 0)
          if (parsed === undefined) return
          if (++replies === 2) return resolve(text.slice(0, parsed.next))
          text = text.slice(parsed.next)
        }
      },
    },
  })
  const parts = words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')
  socket.write(`HELLO ${protocol}\r\n*${words.length}\r\n${parts}`)
  const reply = await promise
  socket.end()
  return reply
}

/** The same reply as a value. */
export async function ask(
  server: RealServer,
  protocol: number,
  ...words: readonly string[]
): Promise<Shape> {
  return shapeOf(await askRaw(server, protocol, ...words))
}

/** What `write` writes, as a value. */
export function written(protocol: number, write: (reply: Reply) => void): Shape {
  const reply = new Reply({
    more() {
      throw new Error('the reply is longer than a megabyte')
    },
  })
  reply.useSpace(Buffer.alloc(1 << 20), 0, 1 << 20)
  reply.protocol = protocol
  write(reply)
  return shapeOf(reply.bytes.latin1Slice(0, reply.position))
}

export function shapeOf(text: string): Shape {
  const parsed = readShape(text, 0)
  if (parsed === undefined || parsed.next !== text.length) throw new Error(`not one reply: ${text}`)
  return parsed.shape
}

function readShape(text: string, at: number): { shape: Shape; next: number } | undefined {
  const end = text.indexOf('\r\n', at)
  if (end < 0) return undefined
  const kind = text[at]
  const line = text.slice(at + 1, end)
  const next = end + 2
  if (kind === ':') return { shape: Number(line), next }
  if (kind === '_') return { shape: null, next }
  if (kind === '+' || kind === '-') return { shape: kind + line, next }
  const size = Number(line)
  if (size < 0) return { shape: null, next }
  if (kind === '$') {
    if (text.length < next + size + 2) return undefined
    return { shape: text.slice(next, next + size), next: next + size + 2 }
  }
  const items: Shape[] = []
  let place = next
  for (let count = kind === '%' ? size * 2 : size; count > 0; count--) {
    const item = readShape(text, place)
    if (item === undefined) return undefined
    items.push(item.shape)
    place = item.next
  }
  if (kind === '*') return { shape: items, next: place }
  if (kind === '~') return { shape: { set: items }, next: place }
  return { shape: { map: pairs(items) }, next: place }
}

/** A flat array as the pairs of a map. */
export function pairs(items: readonly Shape[]): [string, Shape][] {
  const map: [string, Shape][] = []
  for (let i = 0; i + 1 < items.length; i += 2) map.push([String(items[i]), items[i + 1]])
  return map
}

function isMap(shape: Shape): shape is { map: [string, Shape][] } {
  return shape !== null && typeof shape === 'object' && 'map' in shape
}

function isSet(shape: Shape): shape is { set: Shape[] } {
  return shape !== null && typeof shape === 'object' && 'set' in shape
}

/** A RESP3 shape without what servers word for themselves and what came after the real one. */
export function comparable(shape: Shape): Shape {
  if (isSet(shape)) return { set: shape.set.map(comparable) }
  if (Array.isArray(shape)) return shape.filter((item) => !isLater(item)).map(comparable)
  if (!isMap(shape)) return shape
  const kept = shape.map.filter(([name]) => !OWN_WORDS.includes(name))
  return { map: kept.map(([name, value]) => [name, comparable(value)]) }
}

/** True for an argument that a version after the compared one brought. */
function isLater(shape: Shape): boolean {
  if (!isMap(shape)) return false
  const since = shape.map.find(([name]) => name === 'since')
  return since !== undefined && isLaterVersion(String(since[1]))
}

export function isLaterVersion(version: string): boolean {
  const parts = version.split('.').map(Number)
  const compared = COMPARED_VERSION.split('.').map(Number)
  for (let i = 0; i < 3; i++) {
    if (parts[i] !== compared[i]) return parts[i] > compared[i]
  }
  return false
}

/** An element of COMMAND INFO without its subcommands, which are compared one by one. */
export function withoutChildren(info: Shape): Shape {
  return Array.isArray(info) ? comparable(info.slice(0, 9)) : info
}

/** Every command and subcommand that COMMAND INFO or COMMAND DOCS of a real server tells of. */
export async function realInfos(server: RealServer): Promise<Map<string, Shape>> {
  const infos = new Map<string, Shape>()
  const add = (shape: Shape): void => {
    if (!Array.isArray(shape)) return
    infos.set(String(shape[0]), withoutChildren(shape))
    if (Array.isArray(shape[9])) shape[9].forEach(add)
  }
  const all = await ask(server, 3, 'COMMAND')
  if (Array.isArray(all)) all.forEach(add)
  return infos
}

export async function realDocs(server: RealServer): Promise<Map<string, Shape>> {
  const docs = new Map<string, Shape>()
  const add = ([name, shape]: [string, Shape]): void => {
    docs.set(name, comparable(shape))
    if (!isMap(shape)) return
    const children = shape.map.find(([field]) => field === 'subcommands')
    if (children !== undefined && isMap(children[1])) children[1].map.forEach(add)
  }
  const all = await ask(server, 3, 'COMMAND', 'DOCS')
  if (isMap(all)) all.map.forEach(add)
  return docs
}

/** The documentation that `replyDocs` writes after the command's name. */
export function ownDocs(write: (reply: Reply, entry: CommandEntry) => void, entry: CommandEntry) {
  const shape = written(3, (reply) => {
    reply.array(2)
    write(reply, entry)
  })
  return Array.isArray(shape) ? comparable(shape[1]) : shape
}
