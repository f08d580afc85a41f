import { DateTime, type DurationLikeObject } from 'luxon'
import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'

const PART = { type: 'number', minimum: -1e9, maximum: 1e9 }

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Calculate with time',
  description:
    'Reads a time, converts it to a time zone, adds to it, and says what lies between it and another. Knows daylight saving, leap years, ISO weeks, but no leap seconds.',
  input_schema: {
    type: 'object',
    properties: {
      time: { type: 'string', description: 'ISO 8601, or now; without an offset it is in zone' },
      zone: { type: 'string', maxLength: 100, description: 'IANA name or UTC+2; UTC' },
      add: {
        type: 'object',
        properties: {
          ...{ years: PART, months: PART, weeks: PART, days: PART, hours: PART, minutes: PART, seconds: PART },
        },
        additionalProperties: false,
      },
      until: { type: 'string', description: 'ISO 8601, or now: the time between is returned' },
      format: { type: 'string', maxLength: 200, description: 'Unicode pattern such as dd.LL.yyyy HH:mm' },
    },
    required: ['time'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      iso: { type: 'string' },
      utc: { type: 'string' },
      unix_ms: { type: 'integer' },
      weekday: { type: 'string' },
      iso_week: { type: 'string', description: 'Such as 2026-W48' },
      day_of_year: { type: 'integer' },
      daylight_saving: { type: 'boolean' },
      formatted: { type: 'string' },
      between: {
        type: 'object',
        properties: {
          calendar: { type: 'object', description: 'Years, months, days, hours, minutes, seconds' },
          total_seconds: { type: 'number' },
        },
        required: ['calendar', 'total_seconds'],
      },
    },
    required: ['iso', 'utc', 'unix_ms', 'weekday', 'iso_week', 'day_of_year', 'daylight_saving'],
  },
}

interface Input {
  time: string
  zone?: string
  add?: DurationLikeObject
  until?: string
  format?: string
}

const UNITS = ['years', 'months', 'days', 'hours', 'minutes', 'seconds'] as const

export default function timeCalculate({ time, zone = 'UTC', add = {}, until, format }: Input) {
  const at = read('time', time, zone).plus(add)
  if (!at.isValid) refuse('add', 'leads beyond what a date can say')
  const unix_ms = at.toMillis()
  return {
    iso: at.toISO(),
    utc: at.toUTC().toISO(),
    unix_ms,
    weekday: at.setLocale('en').weekdayLong,
    iso_week: `${String(at.weekYear).padStart(4, '0')}-W${String(at.weekNumber).padStart(2, '0')}`,
    day_of_year: at.ordinal,
    daylight_saving: at.isInDST,
    ...(format === undefined ? {} : { formatted: at.setLocale('en').toFormat(format) }),
    ...(until === undefined ? {} : { between: between(at, read('until', until, zone)) }),
  }
}

function read(field: string, text: string, zone: string): DateTime {
  const now = DateTime.now().setZone(zone)
  // Of the machine, which another one need not share.
  const ours = ['local', 'system', 'default'].includes(zone.toLowerCase())
  if (ours || !now.isValid) refuse('zone', 'is not a time zone that is known here')
  const time = text === 'now' ? now : DateTime.fromISO(text, { zone })
  return time.isValid ? time : refuse(field, 'is not a time in ISO 8601, such as 2026-11-25T14:30')
}

function between(from: DateTime, to: DateTime) {
  return { calendar: to.diff(from, [...UNITS]).toObject(), total_seconds: (to.toMillis() - from.toMillis()) / 1000 }
}
