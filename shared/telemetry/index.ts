export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { redact } from './redact.ts'
