/**
 * Every named limit that is not a setting: the bounds nobody can change at run time.
 *
 * Thread: any.
 * Owns: the numbers and the reason for each.
 * Never: reads a setting.
 */

// ---- the configuration ----

/** The most addresses one `bind` directive may name. */
export const BIND_ADDRESSES_MAX = 16

/** `hz` is kept between these two, whatever a client asks for. */
export const HZ_MIN = 1
export const HZ_MAX = 500

/** A host name announced to others is shorter than this many bytes. */
export const HOST_NAME_SIZE_MAX = 256

/** How deep `include` may nest: a file that includes itself stops here instead of filling memory. */
export const INCLUDE_DEPTH_MAX = 32

/** A memory amount with more digits than this is not a number to anybody. */
export const MEMORY_DIGITS_MAX = 127

// ---- rings and records ----

/** Bytes of one request ring. A request that does not fit a record crosses in fragments. */
export const REQUEST_RING_SIZE = 2 * 1024 * 1024

/** Bytes of one reply ring. */
export const REPLY_RING_SIZE = 4 * 1024 * 1024

/** The longest record of requests; also the size of one fragment. */
export const REQUEST_RECORD_SIZE = 64 * 1024

/** Space asked for when a reply record is opened; a small reply fits, a long one goes on. */
export const REPLY_RECORD_CLAIM_SIZE = 1024

/** Replies gathered in a batch before they are published while the batch goes on. */
export const OUTBOX_PUBLISH_SIZE = 8 * 1024

/** Bytes, or replies of a pipeline each, for which an io thread that sleeps is woken meanwhile. */
export const OUTBOX_WAKE_SIZE = 128 * 1024
export const OUTBOX_WAKE_COUNT = 8

/** Request bytes that the core has executed and not given back yet, at most. */
export const REQUEST_RELEASE_SIZE = 256 * 1024

/** Reply bytes that io has sent and not given back yet, at most. */
export const REPLY_RELEASE_SIZE = 256 * 1024

/** Messages to many are gathered up to this size; also the longest piece of a longer one. */
export const BROADCAST_SIZE = 64 * 1024

/** Connections that one record of messages names, at most, and messages gathered apart. */
export const BROADCAST_CONNECTION_COUNT = 4096
export const BROADCAST_ENTRY_COUNT = 256

/**
 * So many of the connections are written to between two looks at requests: a sixteenth, or these. What
 * has waited longer than this is written to all.
 */
export const BROADCAST_PART_SHIFT = 4
export const BROADCAST_PART_MIN = 8
export const BROADCAST_WAIT_MS_MAX = 5

/** The core looks again after this long when it waits for room in a reply ring. */
export const RING_WAIT_SLICE_MS = 10

/** Bytes of each of the two rings between core and disk thread, and of the longest record in them. */
export const DISK_RING_SIZE = 4 * 1024 * 1024
export const DISK_RECORD_SIZE = 64 * 1024

/** A busy core does not wake the disk thread for fewer bytes; a turn of so many requests is busy. */
export const DISK_WAKE_SIZE = 32 * 1024
export const DISK_BUSY_REQUEST_COUNT = 32

/** Records from the disk thread that the core takes before it looks at its clients again. */
export const DISK_BATCH_COUNT = 16

/** Bytes of a new file that are written before a sync, where it is synced as it goes. */
export const NEW_FILE_SYNC_SIZE = 4 * 1024 * 1024

/**
 * A slice of a snapshot: a part of the time that the batch before it took, within these bounds. An
 * idle core takes slices of the longest kind, one after the other.
 */
export const SNAPSHOT_SLICE_SHARE = 0.3
export const SNAPSHOT_SLICE_US_MIN = 50
export const SNAPSHOT_SLICE_US_MAX = 1000

/** While data is loaded, clients are looked at after so long, whatever was loaded meanwhile. */
export const LOADING_SLICE_US_MAX = 100_000

/** After a failed background save the next one is not tried before so many seconds. */
export const SAVE_RETRY_SECONDS = 5

/** How often it is looked whether the replicas have everything, when the server is to end. */
export const SHUTDOWN_PERIOD_MS = 10

/** How often it is looked whether a save is due. */
export const SAVE_CRON_PERIOD_MS = 100

// ---- append-only file ----

/** Bytes of commands that are written at once, without waiting for the end of a turn. */
export const AOF_WRITE_SIZE = 1024 * 1024
/** The policy everysec: how often. */
export const AOF_SYNC_PERIOD_MS = 1000
/** A write waits for the sync in progress so long at most. */
export const AOF_WRITE_POSTPONED_MS = 2000
/** What failed is tried again after so long. */
export const AOF_RETRY_MS = 100
/** With the policy always: batches whose replies wait at one time; more wait together. */
export const WITHHELD_COUNT_MAX = 1024
/** How often it is looked whether a rewrite is due. */
export const AOF_CRON_PERIOD_MS = 100
/** Rewrites that fail in a row before the next is put off, and for how long at most. */
export const AOF_REWRITE_FAILURES_MAX = 3
export const AOF_REWRITE_DELAY_MINUTES_MAX = 60

// ---- waiting and waking ----

/** Chunks of requests that are published before a sleeping core is woken within a turn. */
export const WAKE_CHUNK_COUNT = 16

/** Bytes of requests for which it is woken sooner. */
export const WAKE_SIZE = 4096

/** Over how long io counts the connections that sent something. */
export const ACTIVITY_WINDOW_MS = 4

/** With more connections active than this, nobody spins; with more than the other where there is no processor to spare. */
export const SPIN_CONNECTIONS_MAX = 2
export const SPIN_CONNECTIONS_MAX_TIGHT = 1

/** Looks at the request rings before the core sleeps. */
export const SPIN_TURNS = 20_000

/**
 * The same where there is no processor to spare: some 200 µs, longer than a client's turn, even when each
 * step of it had to be woken. Shorter, and a core that once slept goes on sleeping between requests.
 */
export const SPIN_TURNS_TIGHT = 24_000

/** The same after a message to many: some 90 µs. They are reading it on the very same processors. */
export const SPIN_TURNS_SPREADING = 12_000

/** After this many vain looks in a row the core looks with full patience once. */
export const SPIN_PROBE_PERIOD = 64

/**
 * Looks between two offers of the processor to others. Seldom: the system takes each for a whole time
 * slice used, and makes a thread that offers often wait for milliseconds.
 */
export const SPIN_YIELD_PERIOD = 1024

/**
 * The same where there is no processor to spare, and how many looks come before the first offer: some
 * 12 µs, what a client takes that has a processor. One that has none often waits for the very one on
 * which the core looks for its request.
 */
export const SPIN_YIELD_PERIOD_TIGHT = 512
export const SPIN_TURNS_BEFORE_YIELD_TIGHT = 1500

/** After so many requests found while looking, the core settles on its processor. */
export const SETTLE_HITS = 64

/** After more vain looks in a row than this, the core lets itself be moved again. */
export const SETTLED_VAIN_LOOKS_MAX = 20

/**
 * How often the core sleeps before it judges how its sleeps went; as many in a longer time are no reason to
 * change anything.
 */
export const GATHER_SLEEPS = 128
export const GATHER_WITHIN_MS = 32

/**
 * With fewer requests between two sleeps than this, in the mean, core and io wait for each other more than
 * they work beside each other. Without pipelining 2 to 5 were found, with a pipeline of 16 between 27 and 300.
 */
export const GATHER_REQUESTS_MAX = 12

/** Judgements in a row against it after which core and io part. */
export const GATHER_DOUBTS_MAX = 4

/**
 * Judgements after which both may run anywhere until the next, some twenty seconds: somebody else may be on
 * their processor. Seldom: the system takes long to get the clients off the processor chosen then.
 */
export const GATHER_JUDGEMENTS = 4096

/** Looks at the reply ring before io goes on, with few connections active. */
export const IO_SPIN_TURNS = 10_000

/**
 * The same where there is no processor to spare: what a core that is awake takes to answer. One that
 * had to be woken may be waiting for this very processor. Nor does io linger there: it would take the
 * processor from the client whose request it waits for.
 */
export const IO_SPIN_TURNS_TIGHT = 1500

/** Empty rounds of the event loop before io sleeps in it, with few and many connections active. */
export const IO_LINGER_ROUNDS_FEW = 62
export const IO_LINGER_ROUNDS_MANY = 4

/** The core looks at its clock at least this often. */
export const SLEEP_MS_MAX = 1000

// ---- connections and sessions ----

/** Connection slots of one io thread; more sockets at once are refused there. */
export const CONNECTION_SLOTS = 128 * 1024

/** A peer that does not close its end after our last byte is dropped after this long. */
export const LINGER_MS = 5000

/** Requests of a session that waits are kept up to here; then its socket is not read. */
export const WAITING_REQUESTS_SIZE = 1024 * 1024

// ---- a turn of the core ----

/**
 * Requests that the core executes before it publishes, looks at its timers and at other links.
 * With 4096 a turn took 7 ms under the mixed load of the bench, with 1024 5.5, of which one was work:
 * the rest is what a system with fewer processors than threads takes away.
 */
export const BATCH_REQUEST_COUNT = 512

/** Requests whose keys are fetched from memory together, and from how many words on that pays. */
export const READ_AHEAD_COUNT = 16
export const READ_AHEAD_WORDS_MIN = 32

/** Expired keys deleted in one turn before requests are looked at again. */
export const EXPIRE_SLICE_KEY_COUNT = 256
/** Elements of a large value freed in one turn, when it is freed lazily. */
export const LAZY_FREE_SLICE_COUNT = 1000

/** Arenas of just under 2 GiB each, at most. */
export const ARENA_COUNT_MAX = 64

// ---- periods and what is shown ----

/** Queries of the slow log hold at most this many arguments, and this many bytes of each. */
export const SLOW_LOG_ARGUMENT_COUNT = 32
export const SLOW_LOG_ARGUMENT_SIZE = 128

/** How often links to primary and replicas are looked after. */
export const REPLICATION_PERIOD_MS = 1000

/** Between two looks at keys with deadlines that clients of a writable replica made. */
export const OWN_KEYS_PERIOD_MS = 100

/** While a replica has as much to read, a snapshot on its way to it waits. */
export const SYNC_PENDING_SIZE_MAX = 1024 * 1024
export const SYNC_LOOK_PERIOD_MS = 2

/** The longest line of a primary before it sends data. */
export const HANDSHAKE_LINE_SIZE_MAX = 64 * 1024

/** Buffers of unfinished requests that connections keep for the next one: at least and at most so large. */
export const SPARE_INPUT_SIZE_MIN = 32 * 1024
export const SPARE_INPUT_SIZE_MAX = 4 * 1024 * 1024

/** How often such a buffer is made smaller if it was not needed. */
export const SPARE_INPUT_PERIOD_MS = 500

/** Bytes of buffers for huge requests that the core keeps. */
export const JOINED_SPARE_SIZE_MAX = 16 * 1024 * 1024

/** How often output that waits is held against the soft limits, which are a matter of time. */
export const OUTPUT_LIMIT_PERIOD_MS = 100

/** How often the core is told what only the process knows: it wakes for it. */
export const VITALS_PERIOD_MS = 1000

/** How often rates are sampled, idle clients looked for, a pause looked at. */
export const SAMPLE_PERIOD_MS = 100
export const IDLE_SAMPLE_PERIOD_MS = 1000
export const CLIENT_CRON_PERIOD_MS = 500
export const CLIENT_MEMORY_PERIOD_MS = 20
export const PAUSE_PERIOD_MS = 5

/** Keys that the tracking table forgets at once when it holds too many, and how often. */
export const TRACKING_EFFORT = 100
export const TRACKING_LIMIT_PERIOD_MS = 100

/** When the process has grown by so much beyond its data, garbage is collected. */
export const GARBAGE_SIZE_MAX = 96 * 1024 * 1024

/** When so much of Lua's memory was dropped, garbage is collected before Lua is started anew. */
export const DROPPED_SIZE_MAX = 128 * 1024 * 1024

/** How often and how many times memory of dropped arenas is collected. */
export const RECLAIM_PERIOD_MS = 20
export const RECLAIM_PASS_COUNT = 3

/** Bytes of a reply that the debug log shows. */
export const SHOWN_REPLY_SIZE = 128

// ---- scripts ----

/** Bytes of memory that scripts may take, and those of functions as much again. */
export const LUA_MEMORY_SIZE_MAX = 1024 * 1024 * 1024

/** Memory that scripts have once needed and no longer do is given back when it is more than this. */
export const LUA_MEMORY_KEPT_MAX = 128 * 1024 * 1024

/** Instructions of Lua between two looks at the clock. */
export const LUA_HOOK_INSTRUCTION_COUNT = 100_000

/** Bytes of a value that the debugger shows, each counted at every level of tables around it. */
export const LUA_DEBUG_VALUE_SIZE_MAX = 8 * 1024 * 1024
