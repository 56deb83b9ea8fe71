/**
 * ACL: users, their rules, what they may do, and the log of what they may not.
 *
 * Thread: any.
 * Owns: rows.
 * Never: leaves a user behind, or the default one other than it was.
 */
import { describe } from 'bun:test'
import { anyOf, type Check, type Expected, error, suite, unordered } from '../support/check.ts'

const NO_KEY = '-NOPERM this user has no permissions to access one of the keys used as arguments'
const NO_CHANNEL =
  '-NOPERM this user has no permissions to access one of the channels used as arguments'
const WRONG_PASS = '-WRONGPASS invalid username-password pair or user is disabled.'
const NO_LONGER =
  '-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: '
const FOO = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'

function noCommand(name: string): string {
  return `-NOPERM this user has no permissions to run the '${name}' command`
}

/** A suite whose users are gone afterwards, whatever happens in it. */
function users(name: string, body: (check: Check) => void): void {
  suite(name, (check) => {
    body(check)
    const last = check.on('cleaner')
    last('ACL DELUSER a b c', /^:\d$/)
    last('ACL LOG RESET', '+OK')
  })
}

describe('ACL SETUSER', () => {
  users('makes users that may do nothing yet', (check) => {
    check('ACL SETUSER a', '+OK')
    check(
      'ACL GETUSER a',
      '*12 $flags *1 $off $passwords *0 $commands $-@all $keys $"" $channels $"" $selectors *0',
    )
    check('ACL GETUSER nobody', '(nil)')
    check('ACL LIST', '*2 $"user a off resetchannels -@all" $"user default on nopass ~* &* +@all"')
    check('ACL USERS', '*2 $a $default')
    check('ACL WHOAMI', '$default')
    check.resp3(
      'ACL GETUSER a',
      '%6 $flags ~1 $off $passwords *0 $commands $-@all $keys $"" $channels $"" $selectors *0',
    )
    check.resp3('ACL GETUSER nobody', '_')
    check('ACL DELUSER a nobody', ':1')
    check('ACL DELUSER a', ':0')
  })

  users('takes all rules or none', (check) => {
    check('ACL SETUSER a on bad', "-ERR Error in ACL SETUSER modifier 'bad': Syntax error")
    check('ACL GETUSER a', '(nil)')
    check('ACL SETUSER a on >foo +get ~x', '+OK')
    check(
      'ACL SETUSER a off -get resetkeys +nosuch',
      error("ERR Error in ACL SETUSER modifier '+nosuch': Unknown"),
    )
    check(
      'ACL LIST',
      `*2 $"user a on #${FOO} ~x resetchannels -@all +get" $"user default on nopass ~* &* +@all"`,
    )
  })

  users('knows passwords in clear and as digests', (check) => {
    check('ACL SETUSER a >foo >bar >foo', '+OK')
    check('ACL SETUSER a <bar', '+OK')
    check(
      'ACL SETUSER a <bar',
      "-ERR Error in ACL SETUSER modifier '<bar': The password you are trying to remove from the user does not exist",
    )
    check(
      'ACL LIST',
      `*2 $"user a off #${FOO} resetchannels -@all" $"user default on nopass ~* &* +@all"`,
    )
    check(`ACL SETUSER a !${FOO}`, '+OK')
    check(`ACL SETUSER a #${FOO}`, '+OK')
    check(`ACL SETUSER a #${FOO.toUpperCase()}`, error('ERR Error in ACL SETUSER modifier'))
    check(
      'ACL SETUSER a #12',
      error("ERR Error in ACL SETUSER modifier '#12': The password hash must be exactly 64"),
    )
    check('ACL SETUSER a nopass', '+OK')
    check(
      'ACL LIST',
      '*2 $"user a off nopass resetchannels -@all" $"user default on nopass ~* &* +@all"',
    )
    check('ACL SETUSER a resetpass', '+OK')
    check('ACL LIST', '*2 $"user a off resetchannels -@all" $"user default on nopass ~* &* +@all"')
  })

  users('refuses rules that cannot be', (check) => {
    const says = (rule: string, why: string) =>
      check(['ACL', 'SETUSER', 'a', rule], `-ERR Error in ACL SETUSER modifier '${rule}': ${why}`)
    says('+config|nosuch', 'Unknown command or category name in ACL')
    says('-config|nosuch', 'Unknown command or category name in ACL')
    says('+config|get|x', 'Allowing first-arg of a subcommand is not supported')
    says('+get|a|b', 'Unknown command or category name in ACL')
    says('-get|a', 'Unknown command or category name in ACL')
    says('+@nosuch', 'Unknown command or category name in ACL')
    says('+', 'Unknown command or category name in ACL')
    says('+select|', 'Syntax error')
    says('%X~a', 'Syntax error')
    says('%~a', 'Syntax error')
    says('~a b', 'Syntax error')
    says('&a\tb', 'Syntax error')
    says('constructor', 'Syntax error')
    says('(on)', 'Syntax error')
    says(')', 'Syntax error')
    check(
      'ACL SETUSER a ~* ~x',
      error(
        "ERR Error in ACL SETUSER modifier '~x': Adding a pattern after the * pattern (or the 'allkeys' flag)",
      ),
    )
    check(
      'ACL SETUSER a &* &x',
      error(
        "ERR Error in ACL SETUSER modifier '&x': Adding a pattern after the * pattern (or the 'allchannels' flag)",
      ),
    )
    check(
      'ACL SETUSER a (+get ~x',
      "-ERR Unmatched parenthesis in acl selector starting at '(+get'.",
    )
    check(['ACL', 'SETUSER', 'a b', 'on'], "-ERR Usernames can't contain spaces or null characters")
    check(['ACL', 'SETUSER', 'a\0'], "-ERR Usernames can't contain spaces or null characters")
    check('ACL SETUSER', "-ERR wrong number of arguments for 'acl|setuser' command")
    check('ACL USERS', '*1 $default')
  })

  users('reads keywords up to a NUL byte, and in any case', (check) => {
    check(['ACL', 'SETUSER', 'a', 'ON', 'NoPass\0x', '+GET\0x', 'ALLKEYS', '+@Transaction'], '+OK')
    check(
      'ACL LIST',
      '*2 $"user a on nopass ~* resetchannels -@all +@transaction +get" $"user default on nopass ~* &* +@all"',
    )
  })

  users('describes commands by categories and what differs', (check) => {
    const described = (rules: string, commands: string) => {
      check(`ACL SETUSER a reset ${rules}`, '+OK')
      check(
        'ACL GETUSER a',
        new RegExp(`\\$commands \\$"?${commands.replace(/[+|]/g, '\\$&')}"? \\$keys `),
      )
    }
    described('+@all -@dangerous +debug', '+@all -@dangerous +debug')
    described('+@all -@hash +hget', '+@all -@hash +hget')
    described('+@read -get', '-@all +@read -get')
    described('+client -client|kill', '-@all +client -client|kill')
    described('+@all -client +client|id', '+@all -client +client|id')
    described('+select|0 +SELECT|1 +select|0', '-@all +select|0 +select|1')
    described('+select|0 +select', '-@all +select')
    described('+select|0 +@connection -select', '-@all +@connection -select')
    described('+get|x +@all', '+@all')
    described('allcommands nocommands', '-@all')
  })
})

describe('selectors', () => {
  users('are further sets of rules', (check) => {
    check('ACL SETUSER a on nopass (+get ~r*) ( +set ~w* )', '+OK')
    check(['ACL', 'SETUSER', 'a', '(%R~x +@hash &c)'], '+OK')
    check(
      'ACL LIST',
      '*2 $"user a on nopass resetchannels -@all (~r* resetchannels -@all +get) (~w* resetchannels -@all +set) (%R~x resetchannels &c -@all +@hash)" $"user default on nopass ~* &* +@all"',
    )
    check(
      'ACL GETUSER a',
      /\$selectors \*3 \*6 \$commands \$"-@all \+get" \$keys \$~r\* \$channels \$"" \*6 /,
    )
    check.resp3('ACL GETUSER a', /\$selectors \*3 %3 \$commands /)
    const guest = check.on('guest')
    guest('AUTH a x', '+OK')
    guest('GET r1', '(nil)')
    guest('GET w1', NO_KEY)
    guest('SET w1 x', '+OK')
    guest('SET r1 x', NO_KEY)
    guest('DEL w1', noCommand('del'))
    check('ACL SETUSER a clearselectors', '+OK')
    guest('GET r1', noCommand('get'))
    check('ACL SETUSER a () (+get ~a ( +set)', '+OK')
    check('ACL GETUSER a', /\$selectors \*2 .*\$commands \$"-@all \+set" \$keys/)
  })

  users('do not add up', (check) => {
    check('SET r 1', '+OK')
    check(['ACL', 'SETUSER', 'a', 'on', 'nopass', '(%R~r* +@all)', '(%W~w* +@all)'], '+OK')
    const guest = check.on('guest')
    guest('AUTH a x', '+OK')
    guest('GET r', '$1')
    guest('LPUSH wl 1', ':1')
    guest('COPY r w', NO_KEY)
    check(['ACL', 'SETUSER', 'a', '%R~r*', '%W~w*', '+copy'], '+OK')
    guest('COPY r w', ':1')
    guest('COPY w r', NO_KEY)
  })
})

describe('what a user may do', () => {
  users('is asked of every call', (check) => {
    const guest = check.on('guest')
    check('SET app:1 x', '+OK')
    check('ACL SETUSER a on >foo ~app:* +@read +ping +select|1 +client|id +object|help', '+OK')
    guest('AUTH a bar', WRONG_PASS)
    guest('AUTH a foo', '+OK')
    guest('ACL WHOAMI', noCommand('acl|whoami'))
    guest('GET app:1', '$x')
    guest('MGET app:1 app:2', '*2 $x (nil)')
    guest('MGET app:1 other app:3', NO_KEY)
    guest('GET other', NO_KEY)
    guest('SET app:1 y', noCommand('set'))
    guest('GET', "-ERR wrong number of arguments for 'get' command")
    guest('NOSUCH', error("ERR unknown command 'NOSUCH'"))
    guest('CLIENT ID', /^:\d+$/)
    guest('CLIENT GETNAME', noCommand('client|getname'))
    guest('CLIENT NOSUCH', error("ERR unknown subcommand 'NOSUCH'"))
    guest('SELECT 0', noCommand('select'))
    guest('SELECT 1', '+OK')
    guest('COMMAND GETKEYS GET other', noCommand('command|getkeys'))
    guest('MULTI', noCommand('multi'))
    guest('QUIT', '+OK')
    check('GET app:1', '$x')
  })

  users('depends on how a key is used', (check) => {
    const guest = check.on('guest')
    check(['ACL', 'SETUSER', 'a', 'on', 'nopass', '+@all', '%R~r*', '%W~w*'], '+OK')
    check('SET r v', '+OK')
    guest('AUTH a x', '+OK')
    guest('SET w v', '+OK')
    guest('SET w v GET', NO_KEY)
    guest('SET r v', NO_KEY)
    guest('GET w', NO_KEY)
    guest('APPEND w x', ':2')
    guest('EXISTS r w', ':2')
    guest('EXISTS r x', NO_KEY)
    guest('STRLEN w', anyOf(NO_KEY, ':2'))
    guest('BITFIELD r GET u8 0', '*1 :118')
    guest('BITFIELD w GET u8 0', NO_KEY)
    guest('BITFIELD w SET u8 0 1', NO_KEY)
    guest('GETDEL r', NO_KEY)
    guest('RENAME r w', NO_KEY)
    guest('COPY r w2', ':1')
    guest('BITOP NOT w3 r', ':1')
    guest('BITOP NOT r2 r', NO_KEY)
    guest('ZUNIONSTORE w4 2 r5 r6', ':0')
    guest('ZUNIONSTORE w4 2 r5 x', NO_KEY)
    guest('XREAD COUNT 1 STREAMS r7 x 0 0', NO_KEY)
    guest('XREAD COUNT 1 STREAMS r7 r8 0 0', '*nil')
    guest('GEORADIUS r9 1 2 3 m STORE w9', ':0')
    guest('GEORADIUS r9 1 2 3 m STORE r9', NO_KEY)
    guest('OBJECT ENCODING x', NO_KEY)
    guest('MEMORY USAGE x', NO_KEY)
    check('GET r', '$v')
  })

  users('follows changes at once, for whoever is there already', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass +@all ~* &*', '+OK')
    guest('AUTH a x', '+OK')
    guest('SET k v', '+OK')
    check('ACL SETUSER a -set', '+OK')
    guest('SET k w', noCommand('set'))
    guest('GET k', '$v')
    check('ACL SETUSER a resetkeys', '+OK')
    guest('GET k', NO_KEY)
    check('ACL SETUSER a off', '+OK')
    guest('PING', '+PONG')
    check.on('late')('AUTH a x', WRONG_PASS)
    check('ACL SETUSER a +@all allkeys', '+OK')
    guest('SET k w', '+OK')
  })

  users('counts for channels, too', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass +@all &n:* &m:1', '+OK')
    guest('AUTH a x', '+OK')
    guest('PUBLISH n:1 x', ':0')
    guest('PUBLISH m:2 x', NO_CHANNEL)
    guest('SPUBLISH m:1 x', ':0')
    guest('SPUBLISH x x', NO_CHANNEL)
    guest('PSUBSCRIBE n:1', NO_CHANNEL)
    guest('PSUBSCRIBE n:* x', NO_CHANNEL)
    guest('SUBSCRIBE n:1 x', NO_CHANNEL)
    guest('SSUBSCRIBE x', NO_CHANNEL)
    guest('UNSUBSCRIBE x', '*3 $unsubscribe $x :0')
    guest('PUBSUB NUMSUB x', '*2 $x :0')
    guest('PSUBSCRIBE n:*', '*3 $psubscribe $n:* :1')
    guest('SUBSCRIBE m:1', '*3 $subscribe $m:1 :2')
  })

  users('is not asked again of a call that waits', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass +@all allkeys', '+OK')
    guest('AUTH a x', '+OK')
    guest.sends('BLPOP list 0')
    check('PING', '+PONG')
    check('ACL SETUSER a -@all resetkeys', '+OK')
    check('RPUSH list x', ':1')
    guest.receives('*2 $list $x')
    guest('BLPOP list 0', noCommand('blpop'))
  })

  users('is asked when a transaction is queued, and when it is run', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass +@all allkeys &*', '+OK')
    guest('AUTH a x', '+OK')
    guest('MULTI', '+OK')
    guest('SET k 1', '+QUEUED')
    guest('GET k', '+QUEUED')
    guest('PUBLISH c x', '+QUEUED')
    guest('PING', '+QUEUED')
    check('ACL SETUSER a -set resetkeys resetchannels', '+OK')
    guest(
      'EXEC',
      `*4 ${[
        'no permission to execute the command or subcommand',
        'no permission to touch the specified keys',
        'no permission to access one of the channels used as arguments',
      ]
        .map((why) => `-"${NO_LONGER.slice(1)}${why}"`)
        .join(' ')} +PONG`,
    )
    guest('MULTI', '+OK')
    guest('SET k 1', noCommand('set'))
    guest('EXEC', '-EXECABORT Transaction discarded because of previous errors.')
    guest('MULTI', '+OK')
    guest('PING', '+QUEUED')
    check('ACL SETUSER a -exec', '+OK')
    guest(
      'EXEC',
      "-EXECABORT Transaction discarded because of: NOPERM this user has no permissions to run the 'exec' command",
    )
    guest('DISCARD', '-ERR DISCARD without MULTI')
    check('GET k', '(nil)')
  })

  users('does not bind who comes in or leaves', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass', '+OK')
    check('ACL SETUSER b on nopass +acl|whoami', '+OK')
    guest('AUTH a x', '+OK')
    guest('PING', noCommand('ping'))
    guest('AUTH b x', '+OK')
    guest('ACL WHOAMI', '$b')
    guest('HELLO 2 AUTH a x', /^\*14 /)
    guest('RESET', '+RESET')
    guest('ACL WHOAMI', '$default')
    guest('AUTH a x', '+OK')
    guest('QUIT', '+OK')
  })
})

describe('scripts', () => {
  users('may do what their caller may', (check) => {
    const guest = check.on('guest')
    check('SET k v', '+OK')
    check(
      'ACL SETUSER a on nopass ~k &c +eval +eval_ro +fcall +get +publish +multi +exec +script',
      '+OK',
    )
    guest('AUTH a x', '+OK')
    const says = (script: string, answer: Expected, ...keys: string[]) =>
      guest(['EVAL', script, `${keys.length}`, ...keys], answer)
    says("return redis.call('get','k')", '$v')
    says("return redis.call('get',KEYS[1])", '$v', 'k')
    says('return 1', NO_KEY, 'other')
    says(
      "return redis.pcall('set','k','w')",
      "-ERR The user executing the script can't run this command or subcommand",
    )
    check(
      'ACL LOG 1',
      /\$reason \$command \$context \$lua \$object \$set \$username \$a .* cmd=eval user=a /,
    )
    says(
      "return redis.pcall('get','x')",
      "-ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
    )
    check('ACL LOG 1', /\$reason \$key \$context \$lua \$object \$x \$username \$a /)
    says(
      "return redis.pcall('publish','x','y')",
      "-ERR The user executing the script can't publish to the channel mentioned in the command",
    )
    says("return redis.call('publish','c','y')", ':0')
    says("redis.call('get','x')", error("ERR The user executing the script can't access"))
    says("return {redis.acl_check_cmd('get','k'), redis.acl_check_cmd('get','x')}", '*2 :1 (nil)')
    says("return redis.acl_check_cmd('config','get','x')", '(nil)')
    says("return redis.acl_check_cmd('nosuch')", error('ERR'))
    guest("EVAL_RO \"return redis.call('get','k')\" 0", '$v')
    guest('MULTI', '+OK')
    guest(['EVAL', "return redis.pcall('get','x')", '0'], '+QUEUED')
    guest('EXEC', /^\*1 -"ERR The user executing/)
    check(['EVAL', "return redis.call('set','k','w')", '0'], '+OK')
    check(['EVAL', "return redis.call('get','x')", '0'], '(nil)')
  })
})

describe('the sessions of a user', () => {
  users('end when it is deleted', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass +@all allkeys', '+OK')
    guest('AUTH a x', '+OK')
    check('CLIENT KILL USER b', "-ERR No such user 'b'")
    check('CLIENT LIST', / user=a /)
    check('ACL DELUSER a', ':1')
    guest.isClosed()
    const self = check.on('self')
    check('ACL SETUSER b on nopass +acl', '+OK')
    self('AUTH b x', '+OK')
    self('ACL DELUSER b', ':1')
    self.isClosed()
    check('ACL DELUSER a default', "-ERR The 'default' user cannot be removed")
  })

  users('end when they listen to what they may not any more', (check) => {
    check('ACL SETUSER a on nopass +@all &c:* &p:*', '+OK')
    const listener = (name: string, call: string, answer: string) => {
      const guest = check.on(name)
      guest('AUTH a x', '+OK')
      guest(call, answer)
      return guest
    }
    const stays = listener('stays', 'SUBSCRIBE c:1', '*3 $subscribe $c:1 :1')
    const pattern = listener('pattern', 'PSUBSCRIBE p:*', '*3 $psubscribe $p:* :1')
    const shard = listener('shard', 'SSUBSCRIBE p:1', '*3 $ssubscribe $p:1 :1')
    const silent = listener('silent', 'PING', '+PONG')
    check('ACL SETUSER a &more', '+OK')
    check('ACL SETUSER a resetchannels &c:*', '+OK')
    pattern.isClosed()
    shard.isClosed()
    silent('PING', '+PONG')
    check('PUBLISH c:1 x', ':1')
    stays.receives('*3 $message $c:1 $x')
    check('ACL SETUSER a allchannels', '+OK')
    check('ACL SETUSER a resetchannels', '+OK')
    stays.isClosed()
  })

  users('can be closed by its name', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass +@all', '+OK')
    guest('AUTH a x', '+OK')
    check('CLIENT KILL USER a', ':1')
    guest.isClosed()
  })
})

describe('the default user', () => {
  suite('decides who has to authenticate', (check) => {
    const known = check.on('known')
    const guest = check.on('guest')
    known('PING', '+PONG')
    check('ACL SETUSER default >foo', '+OK')
    check('CONFIG GET requirepass', '*2 $requirepass $""')
    known('PING', '+PONG')
    guest('PING', '-NOAUTH Authentication required.')
    guest('AUTH bar', WRONG_PASS)
    guest('AUTH foo', '+OK')
    check('ACL SETUSER default off', '+OK')
    check.on('other')('PING', '-NOAUTH Authentication required.')
    check.on('other')('AUTH foo', WRONG_PASS)
    check('ACL SETUSER default on nopass', '+OK')
    check.on('other')('PING', '+PONG')
    check.on('other')('HELLO 2', error('NOAUTH HELLO must be called'))
    check.on('other')('AUTH default x', '+OK')
    check('CONFIG SET requirepass bar', '+OK')
    check('ACL SETUSER default resetpass >foo', '+OK')
    check('CONFIG SET requirepass bar maxclients 10000', '+OK')
    check.on('third')('AUTH bar', WRONG_PASS)
    check.on('third')('AUTH foo', '+OK')
    check('CONFIG SET requirepass ""', '+OK')
    check('ACL LIST', '*1 $"user default on nopass ~* &* +@all"')
  })

  suite('may be limited, too', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass +@all', '+OK')
    guest('AUTH a x', '+OK')
    check('ACL SETUSER default -get resetkeys ~k', '+OK')
    check('GET k', noCommand('get'))
    check('SET x 1', NO_KEY)
    check.on('new')('SET x 1', NO_KEY)
    guest('ACL SETUSER default +get allkeys', '+OK')
    check('GET k', '(nil)')
    guest('ACL SETUSER default +@all', '+OK')
    check('ACL DELUSER a', ':1')
    check('ACL LOG RESET', '+OK')
    guest.isClosed()
  })
})

describe('acl-pubsub-default', () => {
  suite('is for users and selectors to come', (check) => {
    check('CONFIG SET acl-pubsub-default allchannels', '+OK')
    check('ACL SETUSER a (+get)', '+OK')
    check(
      'ACL LIST',
      '*2 $"user a off &* -@all (&* -@all +get)" $"user default on nopass ~* &* +@all"',
    )
    check(
      'ACL SETUSER a &x',
      error("ERR Error in ACL SETUSER modifier '&x': Adding a pattern after"),
    )
    check('CONFIG SET acl-pubsub-default resetchannels', '+OK')
    check('ACL GETUSER a', /\$channels \$&\* /)
    check('ACL SETUSER a reset', '+OK')
    check('ACL GETUSER a', /\$flags \*2 \$off \$sanitize-payload .*\$channels \$"" /)
    check('ACL DELUSER a', ':1')
    check('CONFIG SET acl-pubsub-default x', error('ERR CONFIG SET failed'))
  })
})

describe('ACL LOG', () => {
  const logged = (reason: string, context: string, object: string, user: string, count = 1) =>
    new RegExp(
      `^\\*1 \\*14 \\$count :${count} \\$reason \\$${reason} \\$context \\$${context} \\$object \\$${object} \\$username \\$${user} \\$age-seconds \\$[0-9.e-]+ \\$client-info \\$"id=\\d+ addr=[^"]* user=[^"]* resp=[23]"$`,
    )

  users('tells what was denied', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass ~k &c +set +publish +multi +exec', '+OK')
    check('ACL LOG', '*0')
    guest('AUTH a x', '+OK')
    guest('GET k', noCommand('get'))
    check('ACL LOG 1', logged('command', 'toplevel', 'get', 'a'))
    guest('SET other v', NO_KEY)
    check('ACL LOG 1', logged('key', 'toplevel', 'other', 'a'))
    guest('PUBLISH other v', NO_CHANNEL)
    check('ACL LOG 1', logged('channel', 'toplevel', 'other', 'a'))
    guest('GET k', noCommand('get'))
    check('ACL LOG 1', logged('command', 'toplevel', 'get', 'a', 2))
    guest('MULTI', '+OK')
    guest('GET k', noCommand('get'))
    check('ACL LOG 1', logged('command', 'multi', 'get', 'a'))
    guest('EXEC', error('EXECABORT'))
    check('AUTH a x', '+OK')
    check('ACL LOG', noCommand('acl|log'))
    check('AUTH default x', '+OK')
    check('HELLO 2 AUTH b x', WRONG_PASS)
    check('ACL LOG 1', logged('auth', 'toplevel', 'HELLO', 'b'))
    check('ACL LOG 2', /^\*2 /)
    check('ACL LOG', /^\*6 /)
    check('ACL LOG -1', '*0')
    check('ACL LOG x', '-ERR value is not an integer or out of range')
    check(
      'ACL LOG 1 2',
      "-ERR unknown subcommand or wrong number of arguments for 'LOG'. Try ACL HELP.",
    )
    check.resp3('ACL LOG 1', /^\*1 %7 \$count :1 .*\$age-seconds [,:][0-9.e-]+ \$client-info /)
    check('ACL LOG RESET', '+OK')
    check('ACL LOG', '*0')
  })

  users('keeps acllog-max-len entries', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass ~k +get', '+OK')
    check('CONFIG SET acllog-max-len 2', '+OK')
    guest('AUTH a x', '+OK')
    for (const key of ['a', 'b', 'c']) guest(`GET ${key}`, NO_KEY)
    check('ACL LOG', /^\*2 .*\$object \$c .*\$object \$b /)
    check('CONFIG SET acllog-max-len 128', '+OK')
  })

  users('counts the same thing once', (check) => {
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass', '+OK')
    guest('AUTH a x', '+OK')
    guest('GET a', noCommand('get'))
    guest('GET a', noCommand('get'))
    check('ACL LOG', /^\*1 \*14 \$count :2 /)
  })

  suite(
    'is counted in INFO',
    (check) => {
      const guest = check.on('guest')
      check('CONFIG RESETSTAT', '+OK')
      check('ACL SETUSER a on nopass ~k +get +publish', '+OK')
      guest('AUTH a x', '+OK')
      guest('SET k 1', noCommand('set'))
      guest('GET x', NO_KEY)
      guest('GET x', NO_KEY)
      guest('PUBLISH x x', NO_CHANNEL)
      check('AUTH nobody x', WRONG_PASS)
      check(
        'INFO stats',
        /acl_access_denied_auth:1\\r\\nacl_access_denied_cmd:1\\r\\nacl_access_denied_key:2\\r\\nacl_access_denied_channel:1\\r\\n/,
      )
      check('CONFIG RESETSTAT', '+OK')
      check('INFO stats', /acl_access_denied_key:0/)
      check('ACL DELUSER a', ':1')
      check('ACL LOG RESET', '+OK')
    },
    { since: '7.2.0' },
  )
})

describe('ACL CAT, DRYRUN, GENPASS, HELP', () => {
  suite('CAT lists categories and their commands', (check) => {
    check(
      'ACL CAT',
      '*21 $keyspace $read $write $set $sortedset $list $hash $string $bitmap $hyperloglog $geo $stream $pubsub $admin $fast $slow $blocking $dangerous $connection $transaction $scripting',
    )
    check('ACL CAT TRANSACTION', unordered('*5 $multi $exec $discard $watch $unwatch'))
    check('ACL CAT nosuch', "-ERR Unknown category 'nosuch'")
    check(
      'ACL CAT a b',
      "-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.",
    )
  })

  users('DRYRUN tells what would be', (check) => {
    check(['ACL', 'SETUSER', 'a', '+@all', '-config|set', '%R~r*', '%W~w*', '&c'], '+OK')
    const dry = (call: string, answer: string) => check(`ACL DRYRUN a ${call}`, answer)
    dry('GET r', '+OK')
    dry('get w', "$This user has no permissions to access the 'w' key")
    dry('GET', "-ERR wrong number of arguments for 'get' command")
    dry('CONFIG GET x', '+OK')
    dry('CONFIG SET a b', "$This user has no permissions to run the 'config|set' command")
    dry('CONFIG', "-ERR wrong number of arguments for 'config' command")
    dry('CONFIG NOSUCH', "-ERR Command 'CONFIG' not found")
    dry('CONFIG|GET x', "-ERR Command 'CONFIG|GET' not found")
    dry('NOSUCH', "-ERR Command 'NOSUCH' not found")
    dry('PUBLISH d x', "$This user has no permissions to access the 'd' channel")
    dry('SUBSCRIBE c d', "$This user has no permissions to access the 'd' channel")
    dry('ZUNIONSTORE w 2 r x', "$This user has no permissions to access the 'x' key")
    dry(
      'XREADGROUP GROUP g c STREAMS r s 1 2',
      "$This user has no permissions to access the 's' key",
    )
    check('ACL DRYRUN nobody GET r', "-ERR User 'nobody' not found")
    check('ACL DRYRUN a', "-ERR wrong number of arguments for 'acl|dryrun' command")
    check('ACL LOG', '*0')
  })

  suite('GENPASS makes up passwords', (check) => {
    check('ACL GENPASS', /^\$[0-9a-f]{64}$/)
    check('ACL GENPASS 1', /^\$[0-9a-f]$/)
    check('ACL GENPASS 5', /^\$[0-9a-f]{2}$/)
    check('ACL GENPASS 4096', /^\$[0-9a-f]{1024}$/)
    for (const bits of [0, -1, 4097]) {
      check(`ACL GENPASS ${bits}`, error('ERR ACL GENPASS argument must be the number of bits'))
    }
    check('ACL GENPASS x', '-ERR value is not an integer or out of range')
    check('ACL GENPASS 1 2', error('ERR unknown subcommand or wrong number of arguments'))
  })

  suite('HELP and what is not there', (check) => {
    check('ACL HELP', /^\*\d+ \+"ACL <subcommand>/)
    check('ACL HELP x', "-ERR wrong number of arguments for 'acl|help' command")
    check('ACL NOSUCH', "-ERR unknown subcommand 'NOSUCH'. Try ACL HELP.")
    check('ACL', "-ERR wrong number of arguments for 'acl' command")
    for (const word of ['LOAD', 'SAVE']) {
      check(`ACL ${word}`, error('ERR This Redis instance is not configured to use an ACL file.'))
    }
  })
})

describe('secrets', () => {
  suite('do not reach MONITOR', (check) => {
    const monitor = check.on('monitor')
    monitor('MONITOR', '+OK')
    check('AUTH default secret', '+OK')
    check('ACL SETUSER b on >secret', '+OK')
    check('PING', '+PONG')
    monitor.receives(/"AUTH" "\(redacted\)" "\(redacted\)"$/)
    monitor.receives(/"PING"/)
    check('ACL DELUSER b', ':1')
  })

  suite('do not reach the slow log', (check) => {
    check('CONFIG SET slowlog-log-slower-than 0', '+OK')
    check('SLOWLOG RESET', '+OK')
    check('ACL SETUSER b on >secret', '+OK')
    check('ACL GETUSER b', /^\*12 /)
    check('ACL DELUSER b', ':1')
    check('CONFIG SET slowlog-log-slower-than 10000', '+OK')
    check(
      'SLOWLOG GET',
      /\$DELUSER \$b .*\$GETUSER \$b .*\$SETUSER \$\(redacted\) \$\(redacted\) \$\(redacted\)/,
    )
    check('SLOWLOG RESET', '+OK')
  })
})
