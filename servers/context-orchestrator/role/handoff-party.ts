import type { Caller } from '@story-portal/shared/auth'
import { findRecord, type RecordOf } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { faults } from '../errors.ts'
import { aliveSession, type Session } from '../sessions.ts'
import { activeRole } from './assignments.ts'

type Handoff = RecordOf<'handoff'>

/** Who gives a task or gets it: a subject, and the session that it works in. */
export interface Party {
  subject: string
  session?: Session
}

/** Who calls; a session counts for who began it alone. Throws E14030 for one that is over, E14032 for somebody else's. */
export async function partyOf(tx: Tx, { subject }: Caller, sessionId: string | undefined): Promise<Party> {
  if (sessionId === undefined) return { subject }
  const session = await aliveSession(tx, sessionId)
  if (session.created_by !== subject) throw faults.sessionForeign({ session: sessionId })
  return { subject, session }
}

/** Throws E14019, which says who may, for whoever neither got the handoff (accept, reject) nor gave it (withdraw). */
export async function assertParty(
  tx: Tx,
  handoff: Handoff,
  action: 'accept' | 'reject' | 'withdraw',
  party: Party,
): Promise<void> {
  const may = action === 'withdraw' ? await gave(tx, handoff, party) : await gets(tx, handoff, party)
  if (!may) throw faults.notParty({ action, handoff: handoff.id, who: whoMay(handoff, action) })
}

/** Of a role alone it is who holds it now: in its session, or who took it for the task without one. */
async function gets(tx: Tx, { recipient, to_role, task_context_id }: Handoff, { subject, session }: Party) {
  if (recipient !== null) return [subject, session?.id, session?.assistant].includes(recipient)
  const held = await activeRole(tx, task_context_id, session?.id)
  return held?.role === to_role && (held.session_id !== null || held.created_by === subject)
}

/** A session that is over can not withdraw what it gave: then its subject may. */
async function gave(tx: Tx, { offered_by, created_by }: Handoff, { subject, session }: Party) {
  const giver = offered_by ?? created_by
  if (giver === subject || giver === session?.id) return true
  return created_by === subject && (await findRecord(tx, 'session', giver))?.status !== 'active'
}

function whoMay({ offered_by, created_by, recipient, to_role }: Handoff, action: string): string {
  if (action === 'withdraw') return `${offered_by ?? created_by} may, who gave it.`
  if (recipient !== null) return `${recipient} may; a session or an assistant sends its session_id.`
  return `Whoever holds the role ${to_role} on the task may; take it with switch_role.`
}
