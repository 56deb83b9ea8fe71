/**
 * The geo commands.
 *
 * Thread: core.
 * Owns: which files there are.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as geo from './geo.ts'
import * as search from './search.ts'

export const geoCommands = collect('geo', geo, search)
