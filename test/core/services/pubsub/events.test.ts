/**
 * Keyspace notifications beside a real Redis: the same commands have to bring the same events, in
 * the same order, in the same database.
 *
 * Thread: any.
 * Owns: the scripts: commands that make events, for each type.
 * Never: compares replies.
 */
import { describe, expect, test } from 'bun:test'
import { CommandTable } from '../../../../src/core/command/table.ts'
import { commandGroups } from '../../../../src/core/commands.ts'
import { argumentsOf, encodeRequest } from '../../../support/argv.ts'
import { notation } from '../../../support/reply.ts'
import { redisServerPath } from '../../../support/server.ts'
import { type Connected, type Target, targets } from '../../../support/targets.ts'

const PATIENCE_MS = 5000

/** What a real Redis dumps of the value 1. */
const DUMPED = '"\\x00\\xc0\\x01\\n\\x00&x\\xe7\\xb6\\xd1\\x01\\x11\\xfc"'

/** 'wait N' lets so many milliseconds pass. */
const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  SET: [
    'SET a 1',
    'SET a 2 EX 100',
    'SET a 3 KEEPTTL',
    'SET a 4 NX',
    'SET b 1 NX',
    'SET a 5 XX GET',
  ],
  'SET and its like': ['SETNX a 1', 'SETNX a 2', 'SETEX a 10 1', 'PSETEX a 9999 1', 'GETSET a 2'],
  'SET of a time that is over': ['SET a 1', 'SET a 1 PXAT 1', 'GET a', 'SET a 1 EXAT 1', 'TTL a'],
  MSET: ['MSET a 1 b 2 a 3', 'MSETNX a 1 c 2', 'MSETNX c 1 d 2', 'MGET a x b'],
  GETEX: [
    'SET a 1',
    'GETEX a',
    'GETEX a EX 100',
    'GETEX a PERSIST',
    'GETEX a PXAT 1',
    'GETEX x EX 1',
  ],
  GETDEL: ['SET a 1', 'GETDEL a', 'GETDEL a'],
  INCR: ['INCR a', 'DECR a', 'INCRBY a 5', 'DECRBY a 2', 'INCRBYFLOAT a 1.5', 'INCR a'],
  APPEND: [
    'APPEND a x',
    'APPEND a y',
    'APPEND a ""',
    'SETRANGE a 1 zz',
    'SETRANGE b 0 ""',
    'STRLEN x',
  ],
  SETRANGE: ['SETRANGE a 3 x', 'GETRANGE a 0 -1', 'GETRANGE x 0 -1', 'SUBSTR x 0 1', 'LCS a x'],
  bits: [
    'SETBIT a 1 1',
    'SETBIT a 1 1',
    'GETBIT x 1',
    'BITCOUNT x',
    'BITPOS x 1',
    'BITFIELD a GET u8 0',
  ],
  BITFIELD: [
    'BITFIELD a SET u8 0 1',
    'BITFIELD a INCRBY u8 0 1 GET u8 0',
    'BITFIELD_RO x GET u8 0',
  ],
  'BITFIELD of nothing': ['BITFIELD a GET u8 0', 'BITFIELD a OVERFLOW FAIL INCRBY u2 0 9', 'GET a'],
  BITOP: ['SET a 1', 'BITOP NOT b a', 'BITOP AND c a x', 'BITOP AND b x y', 'BITOP OR b x y'],
  DEL: [
    'MSET a 1 b 2 c 3',
    'DEL a b a x',
    'UNLINK c x',
    'EXISTS a b',
    'TOUCH a',
    'TYPE a',
    'DUMP a',
  ],
  EXPIRE: [
    'SET a 1',
    'EXPIRE a 100',
    'EXPIRE a 50 GT',
    'PERSIST a',
    'PERSIST a',
    'PEXPIRE a 1',
    'wait 5',
    'GET a',
  ],
  'EXPIRE to the past': ['SET a 1', 'EXPIRE a -1', 'SET a 1', 'PEXPIREAT a 1', 'EXPIREAT x 1'],
  'expiry by reading': [
    'MSET a 1 b 2',
    'PEXPIRE a 1',
    'PEXPIRE b 1',
    'wait 5',
    'EXISTS a',
    'MGET a b',
  ],
  'expiry by writing': ['SET a 1 PX 1', 'wait 5', 'SET a 2', 'PEXPIRE a 1', 'wait 5', 'INCR a'],
  'expiry by deleting': ['SET a 1 PX 1', 'wait 5', 'DEL a', 'SET a 1 PX 1', 'wait 5', 'RENAME a b'],
  'expiry by scanning': ['SET a 1 PX 1', 'wait 5', 'SCAN 0', 'SET a 1 PX 1', 'wait 5', 'KEYS *'],
  'expiry by chance': ['SET a 1 PX 1', 'wait 5', 'RANDOMKEY'],
  'expiry of a target': [
    'SET a 1',
    'SET b 2 PX 1',
    'wait 5',
    'RENAMENX a b',
    'SET c 1 PX 1',
    'wait 5',
    'COPY b c',
  ],
  'active expiry': [
    'DEBUG SET-ACTIVE-EXPIRE 1',
    'SET a 1 PX 100',
    'wait 600',
    'DEBUG SET-ACTIVE-EXPIRE 0',
  ],
  RENAME: [
    'MSET a 1 b 2',
    'RENAME a c',
    'RENAME c b',
    'RENAMENX b d',
    'RENAME d d',
    'SET a 1',
    'RENAMENX a d',
  ],
  COPY: [
    'SET a 1',
    'COPY a b',
    'COPY a b',
    'COPY a b REPLACE',
    'COPY a a DB 3',
    'COPY x y',
    'SELECT 3',
    'GET a',
  ],
  MOVE: ['SET a 1', 'MOVE a 5', 'MOVE a 5', 'SELECT 5', 'SET b 1 EX 100', 'MOVE b 0', 'SELECT 0'],
  OBJECT: [
    'SET a 1',
    'OBJECT ENCODING a',
    'OBJECT ENCODING x',
    'OBJECT IDLETIME x',
    'TTL x',
    'EXPIRETIME x',
  ],
  RESTORE: [
    `RESTORE a 0 ${DUMPED}`,
    `RESTORE a 9999 ${DUMPED} REPLACE`,
    `RESTORE a 1 ${DUMPED} REPLACE ABSTTL`,
    `RESTORE a 1 ${DUMPED} ABSTTL`,
    `RESTORE b 0 ${DUMPED}`,
    `RESTORE b 0 ${DUMPED}`,
  ],
  FLUSHALL: ['SET a 1', 'FLUSHDB', 'GET a', 'SWAPDB 0 1', 'SET a 1', 'FLUSHALL ASYNC'],
  'a wrong type': ['SET a 1', 'LPUSH a 1', 'SADD a 1', 'HSET a f v', 'GET a'],

  HSET: [
    'HSET h a 1 b 2',
    'HSET h a 1',
    'HMSET h c 3',
    'HSETNX h a 1',
    'HSETNX h d 1',
    'HGET x f',
    'HGETALL x',
  ],
  HINCRBY: [
    'HINCRBY h a 1',
    'HINCRBYFLOAT h a 1.5',
    'HMGET x f',
    'HLEN x',
    'HEXISTS x f',
    'HSTRLEN x f',
  ],
  HDEL: [
    'HSET h a 1 b 2',
    'HDEL h a x',
    'HDEL h x',
    'HDEL h b',
    'HRANDFIELD h',
    'HKEYS h',
    'HVALS h',
    'HSCAN h 0',
  ],
  SADD: [
    'SADD s a b',
    'SADD s a',
    'SREM s a x',
    'SREM s b',
    'SMEMBERS s',
    'SISMEMBER s a',
    'SMISMEMBER s a',
    'SCARD s',
  ],
  SPOP: [
    'SADD s a b c',
    'SPOP s',
    'SPOP s 1',
    'SPOP s 0',
    'SPOP s 5',
    'SPOP s',
    'SPOP s 3',
    'SRANDMEMBER s',
    'SSCAN s 0',
  ],
  SMOVE: [
    'SADD s a b',
    'SMOVE s t a',
    'SMOVE s t b',
    'SMOVE s t b',
    'SADD s a',
    'SMOVE s t a',
    'SMOVE t t a',
  ],
  SINTERSTORE: [
    'SADD s a b',
    'SADD t b c',
    'SINTERSTORE d s t',
    'SUNIONSTORE d s t',
    'SDIFFSTORE d s t',
    'SINTERSTORE d s x',
    'SINTERSTORE d s x',
    'SINTER s x',
    'SUNION x y',
    'SDIFF x s',
    'SINTERCARD 2 s x',
  ],
  LPUSH: [
    'LPUSH l a b',
    'RPUSH l c',
    'LPUSHX l d',
    'RPUSHX x e',
    'LPOP l',
    'RPOP l 2',
    'LPOP l 5',
    'LPOP l',
    'RPOP l 0',
  ],
  LSET: [
    'RPUSH l a b c a',
    'LSET l 0 x',
    'LINSERT l BEFORE x y',
    'LINSERT l AFTER none y',
    'LREM l 0 b',
    'LREM l 0 none',
    'LTRIM l 0 1',
    'LTRIM l 5 9',
    'LLEN l',
    'LRANGE l 0 1',
    'LINDEX l 0',
    'LPOS l a',
  ],
  LMOVE: [
    'RPUSH l a b c',
    'LMOVE l m LEFT RIGHT',
    'RPOPLPUSH l m',
    'LMOVE l m RIGHT LEFT',
    'LMOVE l m LEFT LEFT',
    'LMOVE m m LEFT RIGHT',
    'LMPOP 2 l m LEFT COUNT 2',
    'LMPOP 2 l m RIGHT COUNT 9',
  ],
  BLPOP: [
    'RPUSH l a b',
    'BLPOP l 1',
    'BRPOP l 1',
    'RPUSH l a',
    'BLMOVE l m LEFT RIGHT 1',
    'BRPOPLPUSH m l 1',
    'BLMPOP 1 1 l LEFT',
  ],
  'SORT of a list': [
    'RPUSH l 3 1 2',
    'SORT l',
    'SORT l STORE d',
    'SORT l STORE d',
    'SORT x STORE d',
    'SORT x STORE d',
  ],
  ZADD: [
    'ZADD z 1 a 2 b',
    'ZADD z 1 a',
    'ZADD z XX CH 3 a',
    'ZADD z INCR 1 a',
    'ZINCRBY z 2 c',
    'ZREM z a x',
    'ZREM z b c',
    'ZSCORE z a',
    'ZRANGE z 0 -1',
    'ZCARD z',
  ],
  ZPOPMIN: [
    'ZADD z 1 a 2 b 3 c 4 d',
    'ZPOPMIN z',
    'ZPOPMAX z',
    'ZMPOP 1 z MIN',
    'BZPOPMIN z 1',
    'ZPOPMIN z',
    'ZADD z 1 a',
    'BZPOPMAX z 1',
    'ZADD z 1 a',
    'BZMPOP 1 1 z MIN',
  ],
  ZREMRANGE: [
    'ZADD z 1 a 2 b 3 c 4 d',
    'ZREMRANGEBYRANK z 0 0',
    'ZREMRANGEBYSCORE z 2 2',
    'ZREMRANGEBYSCORE z 9 9',
    'ZREMRANGEBYLEX z - [c',
    'ZREMRANGEBYRANK z 0 -1',
    'ZCOUNT z 0 1',
    'ZLEXCOUNT z - +',
    'ZRANK z a',
  ],
  ZUNIONSTORE: [
    'ZADD z 1 a 2 b',
    'ZADD y 1 b',
    'ZUNIONSTORE d 2 z y',
    'ZINTERSTORE d 2 z y',
    'ZDIFFSTORE d 2 z y',
    'ZRANGESTORE d z 0 0',
    'ZRANGESTORE d z 5 9',
    'ZINTERSTORE d 2 z x',
    'ZUNION 2 z x',
    'ZINTERCARD 2 z x',
    'ZDIFF 2 x z',
  ],
  GEOADD: [
    'GEOADD g 13 38 a 15 37 b',
    'GEOADD g CH 13 38.5 a',
    'GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 999 km',
    'GEOSEARCHSTORE d g FROMLONLAT 0 0 BYRADIUS 1 m',
    'GEORADIUS g 13 38 999 km STORE d',
    'GEOPOS x a',
    'GEODIST x a b',
    'GEOHASH x a',
  ],
  PFADD: [
    'PFADD p a',
    'PFADD p a',
    'PFADD p b',
    'PFADD q',
    'PFMERGE d p q',
    'PFMERGE d p',
    'PFCOUNT p',
    'PFCOUNT p x',
    'PFCOUNT x',
  ],
  XADD: [
    'XADD s 1-1 a b',
    'XADD s NOMKSTREAM 2-1 a b',
    'XADD x NOMKSTREAM 1-1 a b',
    'XADD s MAXLEN 1 3-1 a b',
    'XDEL s 3-1',
    'XDEL s 9-9',
    'XTRIM s MAXLEN 0',
    'XSETID s 9-9',
    'XLEN x',
    'XRANGE x - +',
    'XADD s 10-1 a b',
    'XTRIM s MAXLEN 0',
    'XTRIM s MAXLEN 0',
  ],
  XGROUP: [
    'XGROUP CREATE s g $ MKSTREAM',
    'XGROUP CREATECONSUMER s g c',
    'XGROUP CREATECONSUMER s g c',
    'XADD s 1-1 a b',
    'XREADGROUP GROUP g d STREAMS s >',
    'XREADGROUP GROUP g e STREAMS s >',
    'XCLAIM s g f 0 1-1',
    'XAUTOCLAIM s g h 0 0',
    'XACK s g 1-1',
    'XGROUP SETID s g 0',
    'XGROUP DELCONSUMER s g c',
    'XGROUP DESTROY s g',
    'XGROUP DESTROY s g',
    'XREAD STREAMS x 0',
    'XINFO STREAM s',
  ],
  'SET over another type': [
    'RPUSH l a',
    'SET l 1',
    'HSET h f v',
    'SET h 1 EX 100',
    'SADD s a',
    'BITOP NOT s x',
    'SADD s a',
    'GETSET s 1',
  ],
  'elements that move in and out': [
    'RPUSH l a',
    'RENAME l m',
    'COPY m n',
    'MOVE n 4',
    'DEL m',
    'HSET h f v',
    'EXPIRE h 100',
    'PERSIST h',
    'UNLINK h',
  ],
}

const table = new CommandTable(commandGroups)
const isKnown = (line: string) => {
  const name = line.split(' ')[0].toLowerCase()
  return name === 'wait' || table.entries.some((entry) => entry.name === name)
}
/** A script counts as soon as all its commands are there. */
const known = Object.entries(SCRIPTS).filter(([, lines]) => lines.every(isKnown))

async function ask(connection: Connected, line: string): Promise<string> {
  connection.write(encodeRequest(argumentsOf(line)))
  return notation(await connection.next(PATIENCE_MS))
}

/** How a client listens, and what tells it that there is nothing more for now. */
interface Ear {
  readonly begin: readonly (readonly [command: string, reply: RegExp])[]
  readonly pong: string
}

const EVENTS: Ear = { begin: [['PSUBSCRIBE __key*', /^\*3 \$psubscribe/]], pong: '*2 $pong $""' }
/** Every key that changes, once for each line: a client that caches all keys is told. */
const CHANGES: Ear = {
  begin: [
    ['HELLO 3', /^%7 /],
    ['CLIENT TRACKING ON BCAST', /^\+OK$/],
  ],
  pong: '+PONG',
}

/** Everything that a client is told while each line runs: a list a line. */
async function toldOf(
  target: Target,
  ear: Ear,
  letters: string,
  lines: readonly string[],
): Promise<string[]> {
  const caller = await target.connect()
  const listener = await target.connect()
  try {
    expect(await ask(caller, 'FLUSHALL')).toBe('+OK')
    expect(await ask(caller, 'DEBUG SET-ACTIVE-EXPIRE 0')).toBe('+OK')
    expect(await ask(caller, `CONFIG SET notify-keyspace-events ${letters}`)).toBe('+OK')
    for (const [command, reply] of ear.begin) expect(await ask(listener, command)).toMatch(reply)
    const told: string[] = []
    for (const line of lines) {
      told.push(`--- ${line}`)
      if (line.startsWith('wait ')) await target.advance(Number(line.slice(5)))
      else await ask(caller, line)
      // What comes before the listener's own answer came because of this line.
      listener.write(encodeRequest(argumentsOf('PING')))
      for (;;) {
        const text = notation(await listener.next(PATIENCE_MS))
        if (text === ear.pong) break
        told.push(text)
      }
    }
    return told
  } finally {
    await ask(caller, 'CONFIG SET notify-keyspace-events ""')
    await ask(caller, 'DEBUG SET-ACTIVE-EXPIRE 1')
    await ask(caller, 'FLUSHALL')
    caller.close()
    listener.close()
  }
}

const eventsOf = (target: Target, letters: string, lines: readonly string[]) =>
  toldOf(target, EVENTS, letters, lines)

describe.if(redisServerPath !== '')('the events of (left out without redis-server)', () => {
  test.each(known)('%s are those of Redis', async (_, lines) => {
    const [local, , redis] = await targets()
    const ours = await eventsOf(local, 'KEAmn', lines)
    expect(ours).toEqual(await eventsOf(redis, 'KEAmn', lines))
  })

  test.each(known)('%s change the same keys as in Redis', async (_name, lines) => {
    const [local, , redis] = await targets()
    const ours = await toldOf(local, CHANGES, '""', lines)
    expect(ours).toEqual(await toldOf(redis, CHANGES, '""', lines))
  })

  for (const letters of ['KA', 'EA', 'K$', 'Exg', 'Kn', 'KEm', 'A', 'Klshztd', '']) {
    test(`what is published with '${letters}' is what Redis publishes`, async () => {
      const [local, , redis] = await targets()
      const lines = [
        'SET a 1 EX 9',
        'GET x',
        'SADD s a',
        'HSET h f v',
        'DEL a s h',
        'SET a 1 PX 1',
        'wait 5',
        'GET a',
      ]
      const value = letters === '' ? '""' : letters
      expect(await eventsOf(local, value, lines)).toEqual(await eventsOf(redis, value, lines))
    })
  }
})
