import { wholeLog } from '../log.ts'
import type { Check } from '../registry.ts'

/** Who followed the log while everything broke met each event once, in the order that the log has for ever. */
const check: Check = async (subject) => {
  const { order } = await wholeLog(subject)
  const { followed } = subject.load.ledger
  const at = order.findIndex((event, index) => {
    const met = followed[index]
    return event.position !== met?.position || event.stream !== met.stream || event.version !== met.version
  })
  if (at >= 0) {
    const [is, was] = [order[at], followed[at]].map((event) => JSON.stringify(event))
    return [`event ${at + 1} of ${order.length} is ${is}, the follower of ${followed.length} met ${was}`]
  }
  return order.length === followed.length ? [] : [`the follower met ${followed.length} of ${order.length} events`]
}

export default check
