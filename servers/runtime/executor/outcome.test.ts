import { callErrors, planErrors } from '@story-portal/shared/engine'
import { errors, toErrorBody } from '@story-portal/shared/errors'
import { expect, test } from 'vitest'
import { failedBy, failedWith, isLeaseLost, leftOpen } from './outcome.ts'

test('a refusal for good is not tried again; anything else is for the retry policy', () => {
  const final = [errors.denied({ subject: 'a', tool: 'b', reason: 'c' }), errors.notFound(), errors.invalidInput()]
  for (const error of final) expect(failedBy(error)).toMatchObject({ status: 'failed', retryable: false })
  for (const error of [errors.limitExceeded(), errors.conflict(), errors.timedOut()]) {
    expect(failedBy(error)).toMatchObject({ status: 'failed', retryable: true })
  }
  // Code that throws answers INVALID_INPUT with a number of its own: the plan's retries are meant for exactly that.
  expect(failedWith({ code: 'INVALID_INPUT', number: 'E3001' })).toMatchObject({ retryable: true })
  expect(failedWith({ code: 'INVALID_INPUT', number: 'E3002' })).toMatchObject({ retryable: false })
})

test('what a stranger threw is recorded without its words', () => {
  const outcome = failedBy(new Error('password=hunter2'))
  expect(JSON.stringify(outcome)).not.toContain('hunter2')
  expect(outcome).toMatchObject({ error: toErrorBody(errors.internal()).error })
})

test('only an answer that says nothing about the work is sent for again', () => {
  expect(leftOpen(errors.unavailable({ what: 'x' }))).toBe(true)
  expect(leftOpen(errors.timedOut())).toBe(true)
  expect(leftOpen(errors.conflict())).toBe(false)
  expect(leftOpen(new Error('x'))).toBe(false)
})

test('a call that runs on elsewhere is sent for again; one that timed out for good is not', () => {
  expect(leftOpen(callErrors.stillRunning())).toBe(true)
  expect(leftOpen(callErrors.abandoned())).toBe(true)
  expect(leftOpen(callErrors.callTimedOut({ ms: 1 }))).toBe(false)
})

test('an error that an invocation has on record is an answer, whatever its code', () => {
  expect(leftOpen(errors.unavailable({ what: 'x' }, { details: { invocation_id: 'inv_1' } }))).toBe(false)
})

test('a lost lease is told from other conflicts', () => {
  expect(isLeaseLost(planErrors.leaseLost({ task: 'a', status: 'ready' }))).toBe(true)
  expect(isLeaseLost(errors.conflict())).toBe(false)
})
