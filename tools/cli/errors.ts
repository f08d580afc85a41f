import { defineErrors } from '@story-portal/shared/errors'

/** What can go wrong between a person and the platform. */
export const cliErrors = defineErrors(0, {
  usage: {
    number: 'E0280',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: '{summary}',
    hint: 'story-portal --help lists the commands, story-portal <command> --help what one takes.',
  },
  badJson: {
    number: 'E0281',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The arguments are not JSON: {reason}',
    hint: 'Quote them for the shell: story-portal call planning create_goal \'{"title":"x"}\'. A single - reads them from stdin.',
  },
  notRunning: {
    number: 'E0282',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'The platform of {home} is not running.',
    hint: 'Start it with "npm start" or "story-portal up".',
  },
  portTaken: {
    number: 'E0283',
    code: 'CONFLICT',
    severity: 'error',
    message: 'Port {port} on {host} is taken by {holder}.',
    hint: '{remedy}',
  },
  portRefused: {
    number: 'E0284',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'Port {port} on {host} can not be used: {reason}.',
    hint: 'Set STORY_PORTAL_HOST to an address of this machine and STORY_PORTAL_PORT_BASE to a base above 1023.',
  },
  homeRefused: {
    number: 'E0285',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'The data directory {home} can not be written: {reason}.',
    hint: 'Give this user the right to write it, free space on its disk, or set STORY_PORTAL_HOME to another directory.',
  },
  startFailed: {
    number: 'E0286',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: '{what} did not become ready: {reason}',
    hint: '"story-portal logs" and {crash_log} have the details.',
  },
  stillRunning: {
    number: 'E0287',
    code: 'CONFLICT',
    severity: 'error',
    message: 'These processes did not end: {pids}.',
    hint: 'End them by hand, then run "story-portal down" again.',
  },
  busy: {
    number: 'E0288',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'Process {pid} has been starting or stopping the platform for too long.',
    hint: 'Wait for it, or end it; then try again.',
  },
  unknownServer: {
    number: 'E0290',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'There is no server {server}.',
    hint: 'The servers are: {servers}.',
  },
  unknownTool: {
    number: 'E0291',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'Server {server} has no tool {tool}.',
    hint: 'story-portal {server} --help lists its tools.',
  },
  databaseAway: {
    number: 'E0289',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'The database of DATABASE_URL can not be used: {reason}. The platform that runs was left as it is.',
    hint: 'Start that database or correct DATABASE_URL, then try again; without DATABASE_URL the embedded one is used.',
  },
})
