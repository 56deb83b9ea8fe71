/**
 * What `metrics-port` tells Prometheus.
 *
 * Thread: any.
 * Owns: the servers it starts.
 * Never: asks for a number that the machine decides.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { exposition } from '../../src/lib/exposition.ts'
import { freePort, type RunningServer, startRedbun } from '../support/server.ts'

const LINE = /^(redis_[a-z0-9_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})? (-?[\d.e+-]+|\+Inf)$/

/** Values by name and labels. Throws where the text is none that Prometheus takes. */
function parse(text: string): Map<string, string> {
  const values = new Map<string, string>()
  const families = new Set<string>()
  let family = ''
  for (const line of text.trimEnd().split('\n')) {
    const [, name] = /^# TYPE (redis_\w+) (?:gauge|counter|summary)$/.exec(line) ?? []
    if (name !== undefined) {
      if (families.has(name)) throw new Error(`${name} comes twice`)
      families.add(name)
      family = name
      continue
    }
    const [, of = '', labels = '', value = ''] = LINE.exec(line) ?? []
    if (!of.startsWith(family) || of === '') throw new Error(`not a metric of ${family}: ${line}`)
    if (values.has(of + labels)) throw new Error(`${of}${labels} comes twice`)
    values.set(of + labels, value)
  }
  return values
}

const metricsPort = freePort()
let server: RunningServer

async function scrape(): Promise<Map<string, string>> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return parse(await response.text())
}

describe('a server with metrics-port', () => {
  beforeAll(async () => {
    const args = ['--metrics-port', String(metricsPort), '--maxmemory', '100mb']
    server = await startRedbun({ args: [...args, '--slowlog-log-slower-than', '50000'] })
  })
  afterAll(() => server.stop())

  test('tells what INFO tells, by the names of redis_exporter', async () => {
    const client = await server.connect()
    await client.call('FLUSHALL')
    await client.call('CONFIG RESETSTAT')
    for (let i = 0; i < 30; i++) await client.call(`SET k${i} v ${i < 10 ? 'EX 1000' : ''}`)
    await client.call('GET k1')
    await client.call('GET none')
    await client.call('LPUSH k1 v')
    await client.call('DEBUG SLEEP 0.1')
    const values = await scrape()
    const expected: Record<string, string> = {
      redis_up: '1',
      redis_connected_clients: '1',
      redis_config_maxmemory: String(100 * 2 ** 20),
      redis_memory_max_bytes: String(100 * 2 ** 20),
      redis_config_maxclients: '10000',
      redis_keyspace_hits_total: '1',
      redis_keyspace_misses_total: '1',
      redis_loading_dump_file: '0',
      redis_rdb_last_bgsave_status: '1',
      redis_slowlog_length: '1',
      redis_connected_slaves: '0',
      'redis_db_keys{db="db0"}': '30',
      'redis_db_keys_expiring{db="db0"}': '10',
      'redis_commands_total{cmd="set"}': '30',
      'redis_commands_total{cmd="get"}': '2',
      'redis_commands_failed_calls_total{cmd="lpush"}': '1',
      'redis_errors_total{err="WRONGTYPE"}': '1',
      'redis_latency_percentiles_usec_count{cmd="set"}': '30',
    }
    const names = Object.keys(expected)
    expect(Object.fromEntries(names.map((name) => [name, values.get(name)]))).toEqual(expected)
    const near = (name: string) => Number(values.get(name))
    expect(near('redis_last_slow_execution_duration_seconds')).toBeWithin(0.1, 1)
    expect(near('redis_db_avg_ttl_seconds{db="db0"}')).toBeWithin(990, 1001)
    expect(near('redis_start_time_seconds')).toBeWithin(Date.now() / 1000 - 60, Date.now() / 1000)
    expect(near('redis_commands_duration_seconds_total{cmd="debug"}')).toBeGreaterThan(0.09)
    expect(near('redis_latency_percentiles_usec{cmd="set",quantile="50"}')).toBeGreaterThan(0)
    const [instance = ''] = [...values.keys()].filter((key) => key.includes('_instance_info'))
    expect(instance).toContain(`tcp_port="${server.port}"`)
    expect(instance).toContain('role="master",redis_version="7.0.15"')
  })

  test('tells all of it, also when every command was called', async () => {
    const client = await server.connect()
    const names = (await client.call('COMMAND LIST')).items ?? []
    for (const { bytes } of names) {
      const name = bytes?.toString() ?? ''
      if (!/^(quit|shutdown|monitor|debug|sync|psync|subscribe|psubscribe|ssubscribe)$/.test(name))
        await client.call([name, ...Array.from({ length: 20 }, () => 'x')])
    }
    const values = await scrape()
    const commands = [...values.keys()].filter((key) => key.startsWith('redis_commands_total{'))
    expect(commands.length).toBeGreaterThan(100)
  })

  test('tells nothing else', async () => {
    const url = `http://127.0.0.1:${metricsPort}`
    expect((await fetch(`${url}/`)).status).toBe(404)
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405)
    const client = await server.connect()
    expect(await client.ask('CONFIG GET metrics-port')).toBe(`*2 $metrics-port $${metricsPort}`)
    expect(await client.ask('CONFIG SET metrics-port 1')).toStartWith('-ERR CONFIG SET failed')
  })

  test('says that it is busy when the core does not answer', async () => {
    const client = await server.connect()
    client.send('DEBUG SLEEP 6')
    await Bun.sleep(50)
    expect((await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).status).toBe(503)
    await client.next()
    await scrape()
  }, 20_000)

  test('is a reason not to start when its port is taken', async () => {
    const args = ['--metrics-port', String(metricsPort)]
    const failure = await startRedbun({ args }).then(
      () => 'it runs',
      (error: Error) => error.message,
    )
    expect(failure).toContain(`Failed listening on port ${metricsPort} (metrics-port), aborting.`)
  })
})

test('primary and replicas tell of each other', () => {
  const primary = 'role:master\r\nslave0:ip=::1,port=7,state=online,offset=42,lag=1\r\n'
  const replica =
    'role:slave\r\nmaster_host:a"b\\c\r\nmaster_port:1\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:3\r\nmaster_sync_in_progress:0\r\nslave_repl_offset:42\r\nslave_read_only:1\r\n'
  const told = (info: string) => parse(exposition({ info, slowLog: { length: 0, last: [] } }, 5, 0))
  const follower = '{slave_ip="::1",slave_port="7",slave_state="online"}'
  expect(told(primary).get(`redis_connected_slave_offset_bytes${follower}`)).toBe('42')
  expect(told(primary).get(`redis_connected_slave_lag_seconds${follower}`)).toBe('1')
  const values = told(replica)
  const where = 'master_host="a\\"b\\\\c",master_port="1"'
  expect(values.get(`redis_master_link_up{${where}}`)).toBe('1')
  expect(values.get(`redis_master_last_io_seconds_ago{${where}}`)).toBe('3')
  expect(values.get(`redis_slave_repl_offset{${where}}`)).toBe('42')
  expect(values.get(`redis_slave_info{${where},read_only="1"}`)).toBe('1')
})
