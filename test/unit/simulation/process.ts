import type { Member } from '#core/cluster/roster.js'
import type { Agenda } from './agenda.js'
import type { Fate } from './fates.js'

/** Where a process's messages and its end arrive. */
export interface Receiver {
  ready(process: FakeProcess): void
  serving(process: FakeProcess): void
  /** It came to listen, wants its set-up first, and leaves. */
  setupWanted(process: FakeProcess): void
  /** What its health check says. */
  health(process: FakeProcess, healthy: boolean): void
  /** It has drained to become a mold. */
  promoted(process: FakeProcess): void
  leave(process: FakeProcess): void
  /** It hands on what it gets. */
  forwarding(process: FakeProcess): void
  /** It began to leave of itself, because nobody told it to in time. */
  left(process: FakeProcess): void
  exited(process: FakeProcess, released?: true): void
}

/** One launched process: does in virtual time what its fate says, as a worker's runtime would. */
export class FakeProcess {
  readonly member: Member
  readonly fate: Fate
  state: 'booting' | 'ready' | 'listening' | 'draining' | 'gone' = 'booting'
  blocked = false
  /** Drains without having been told to. */
  leaving = false
  /** The mold that hangs and was asked to fork it, or the standby that is to become it. */
  mold: FakeProcess | undefined
  /** Hands on what it gets. */
  forwarding = false
  /** As a task, it has said this. */
  task: 'done' | 'none' | undefined
  /** It was never forked. */
  unforked = false
  readonly #agenda: Agenda
  readonly #receiver: Receiver
  readonly #latency: () => number
  #killed = false
  #lastArrival = 0

  constructor(
    member: Member,
    fate: Fate,
    agenda: Agenda,
    receiver: Receiver,
    random: () => number,
    mold: FakeProcess | undefined
  ) {
    this.member = member
    this.fate = fate
    this.#agenda = agenda
    this.#receiver = receiver
    this.#latency = () => (random() < 0.5 ? 0 : random() * 30)
    if (mold?.member.once) {
      this.#becomeOf(mold)
      return
    }
    // Forked from a mold that hangs it waits for ever; kills wait with it.
    if (mold?.blocked) this.mold = mold
    if (mold?.blocked || (mold && fate.unforked)) this.unforked = true
    if (mold?.blocked) return
    if (this.unforked) this.#later(1, () => this.exit())
    else this.#later(fate.boot, () => this.#booted())
  }

  get gone(): boolean {
    return this.state === 'gone'
  }

  /** Whether requests that it gets are answered by its own code. */
  get answers(): boolean {
    return !this.#killed && !this.forwarding && (this.state === 'listening' || this.state === 'draining')
  }

  activate(): void {
    if (!this.fate.listens) return
    this.#later(this.fate.listen, () => this.#listening())
  }

  retire(): void {
    this.leaving = false
    if (this.member.role === 'task') return this.#abort()
    this.#later(this.#latency(), () => this.#drain())
  }

  /** Like retire, but it does not answer what it still gets; said once more to one that drains already. */
  forward(): void {
    this.leaving = false
    this.#later(this.#latency() + this.fate.forward, () => {
      this.forwarding = true
      if (this.state === 'ready') return this.exit()
      this.#send(() => this.#receiver.forwarding(this))
      this.#drain()
    })
  }

  promote(): void {
    this.leaving = false
    this.#later(this.#latency(), () => {
      this.state = 'draining'
      this.#later(this.fate.drain, () => {
        this.state = 'ready'
        this.#send(() => this.#receiver.promoted(this))
      })
    })
  }

  kill(): void {
    if (this.mold?.member.once) return this.mold.kill()
    if (this.#killed || this.mold) return
    this.#killed = true
    this.#agenda.add(this.#agenda.now + this.#latency(), () => this.exit())
  }

  /** SIGTERM: asks to be replaced, and leaves by itself if that takes too long. */
  terminate(): void {
    if (this.blocked || this.gone || this.#killed || this.state === 'draining') return
    if (this.state === 'booting') return this.exit()
    if (this.member.role === 'task') return this.#abort()
    this.#send(() => this.#receiver.leave(this))
    this.#later(LEAVE_TIMEOUT, () => {
      if (this.state === 'draining') return
      this.leaving = true
      this.#receiver.left(this)
      this.#drain()
    })
  }

  exit(): void {
    if (this.gone) return
    // There is no other process yet that could end.
    if (this.mold?.member.once && !this.mold.gone) return this.mold.exit()
    this.state = 'gone'
    this.#receiver.exited(this)
  }

  /** Until the standby has heard of it, it is none; from then on it is what the standby was. */
  #becomeOf(standby: FakeProcess): void {
    this.mold = standby
    this.unforked = true
    standby.#later(standby.#latency(), () => {
      if (this.gone) return
      this.mold = undefined
      this.unforked = false
      standby.state = 'gone'
      this.#receiver.exited(standby, true)
      this.#later(this.fate.boot, () => this.#booted())
    })
  }

  #booted(): void {
    if (this.fate.bootEnd === 'exit') return this.exit()
    if (this.fate.bootEnd === 'never') return
    if (this.fate.wantsSetup) {
      this.#send(() => this.#receiver.setupWanted(this))
      return this.#later(50, () => this.exit())
    }
    this.state = 'ready'
    this.#send(() => this.#receiver.ready(this))
    if (this.member.role !== 'mold') return
    this.#later(this.fate.crash, () => this.exit())
    this.#later(this.fate.hang, () => {
      this.blocked = true
    })
  }

  #listening(): void {
    if (this.state !== 'ready') return
    this.state = 'listening'
    this.#send(() => this.#receiver.serving(this))
    if (this.member.role === 'task') return this.#work()
    const { check, sick, well } = this.fate
    this.#later(check, () => this.#tell(sick > check))
    if (sick > check) this.#later(sick, () => this.#tell(false))
    this.#later(Math.max(sick, check) + well, () => this.#tell(true))
    this.#later(this.fate.crash, () => this.exit())
    this.#later(this.fate.hang, () => {
      this.blocked = true
    })
  }

  #work(): void {
    const { work, workEnd } = this.fate
    if (workEnd === 'never') return
    this.#later(work, () => {
      if (workEnd !== 'failed') this.task = workEnd
      this.exit()
    })
  }

  #abort(): void {
    if (this.fate.obeys) this.#later(this.#latency(), () => this.exit())
  }

  #tell(healthy: boolean): void {
    if (this.state === 'listening') this.#send(() => this.#receiver.health(this, healthy))
  }

  #drain(): void {
    if (this.state === 'ready' && this.member.role !== 'service') return this.exit()
    if (this.state === 'draining') return
    this.state = 'draining'
    this.#later(this.fate.drain, () => this.exit())
  }

  /** Does something later, unless it is dead, dying or blocked by then. */
  #later(delay: number, run: () => void): void {
    if (delay === Number.POSITIVE_INFINITY) return
    this.#agenda.add(this.#agenda.now + delay, () => {
      if (!this.gone && !this.#killed && !this.blocked) run()
    })
  }

  /** In the order sent. What was sent before a kill still arrives, unless the end is noticed first. */
  #send(deliver: () => void): void {
    this.#lastArrival = Math.max(this.#lastArrival, this.#agenda.now + this.#latency())
    this.#agenda.add(this.#lastArrival, () => {
      if (!this.gone) deliver()
    })
  }
}

/** How long a worker that was asked to leave waits for the supervisor's word, ms. */
const LEAVE_TIMEOUT = 5_000
