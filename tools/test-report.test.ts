import { expect, test } from 'vitest'
import { count, summary } from './test-report.ts'

const report = { numPassedTests: 3, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0, testResults: [] }

test('tests are counted, and a file that could not be loaded as one failure', () => {
  const files = [
    { name: 'a', status: 'failed', message: '', assertionResults: [{}] },
    { name: 'b', status: 'failed', message: 'no such module', assertionResults: [] },
    { name: 'c', status: 'passed', message: '', assertionResults: [] },
  ]
  expect(count({ ...report, testResults: files })).toEqual({ passed: 3, failed: 2, skipped: 0 })
})

test('the last line names skipped tests only when there are any', () => {
  expect(summary(count(report))).toBe('3 passed, 1 failed')
  expect(summary(count({ ...report, numPendingTests: 1, numTodoTests: 1 }))).toBe('3 passed, 1 failed, 2 skipped')
})
