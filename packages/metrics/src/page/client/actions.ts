import { byId, setText } from './dom.js'
import { nameOf } from './model.js'
import type { Frame } from './wire.js'

/** How long the password is kept after its last use, ms: in this page's memory and nowhere else. */
const KEPT = 600_000

/** The buttons, and the dialog that asks for the password and for a last word. */
export class Actions {
  readonly #dialog = byId<HTMLDialogElement>('ask')
  readonly #password = byId<HTMLInputElement>('password')
  readonly #workers = byId<HTMLInputElement>('workers')
  readonly #submit = byId<HTMLButtonElement>('ask-do')
  #frame: Frame | undefined
  #asked: { action: string; id?: number } | undefined
  #kept: string | undefined
  #forget: ReturnType<typeof setTimeout> | undefined

  constructor(readonly say: (text: string) => void) {
    document.addEventListener('click', ({ target }) => {
      const button = target instanceof Element ? target.closest<HTMLElement>('[data-action]') : null
      if (button?.dataset.action) this.#ask(button.dataset.action, button.dataset.id)
    })
    byId('ask-form').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#send()
    })
    byId('ask-cancel').addEventListener('click', () => this.#dialog.close())
    this.#dialog.addEventListener('close', () => {
      this.#password.value = ''
    })
    byId('lock').addEventListener('click', () => {
      this.#keep(undefined)
      // The button is gone: who works by keyboard goes on beside it.
      document.querySelector<HTMLElement>('.actions :enabled')?.focus()
    })
    byId('insecure').hidden = window.isSecureContext
  }

  /** Offers what can be done now. */
  show(frame: Frame): void {
    this.#frame = frame
    for (const button of document.querySelectorAll<HTMLButtonElement>('.actions [data-action]')) {
      const why = this.#against(button.dataset.action)
      button.disabled = why !== ''
      button.title = why
    }
  }

  /** Why it cannot be done now; empty when it can. */
  #against(action: string | undefined): string {
    if (!this.#frame || this.#frame.stopping) return 'The cluster is stopping.'
    if (action === 'refork' && !this.#frame.forked) return 'Only workers that are forked can be reforked.'
    if (action === 'rollback' && this.#frame.rollback === null) return 'No earlier generation is kept.'
    return ''
  }

  #ask(action: string, id: string | undefined): void {
    const frame = this.#frame
    if (!frame || this.#dialog.open) return
    const process = frame.processes.find((known) => String(known.id) === id)
    this.#asked = process ? { action, id: process.id } : { action }
    const title = ACTION_TITLES[action] ?? action
    const to = action === 'rollback' && frame.rollback !== null ? ` to generation ${frame.rollback}` : ''
    setText(byId('ask-title'), process ? `${title} ${nameOf(process)}` : title + to)
    setText(byId('ask-text'), ACTION_TEXTS[action] ?? '')
    setText(this.#submit, title)
    this.#workers.value = String(frame.target)
    byId('workers-field').hidden = action !== 'scale'
    this.#workers.disabled = action !== 'scale'
    this.#needPassword(this.#kept === undefined)
    this.#complain('')
    this.#dialog.showModal()
    const first = action === 'scale' ? this.#workers : this.#kept === undefined ? this.#password : this.#submit
    first.focus()
    if (first instanceof HTMLInputElement) first.select()
  }

  async #send(): Promise<void> {
    const { action, id } = this.#asked ?? { action: '' }
    const password = this.#kept ?? this.#password.value
    this.#submit.disabled = true
    this.#complain('')
    this.#dialog.setAttribute('aria-busy', 'true')
    try {
      const body = action === 'scale' ? { workers: this.#workers.valueAsNumber } : id === undefined ? {} : { id }
      const response = await fetch(`actions/${action}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-mapache': '1', authorization: `Bearer ${encode(password)}` },
        body: JSON.stringify(body),
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        signal: AbortSignal.timeout(30_000)
      })
      const { error } = (await response.json().catch(() => ({}))) as { error?: string }
      if (response.ok) {
        this.#keep(password)
        this.#dialog.close()
        return this.say(`${ACTION_TITLES[action] ?? action}: begun`)
      }
      if (response.status === 401) this.#keep(undefined)
      this.#complain(error ?? `The service answered ${response.status}.`)
    } catch {
      this.#complain('The service did not answer. Try again in a moment.')
    } finally {
      this.#submit.disabled = false
      this.#dialog.removeAttribute('aria-busy')
    }
    this.#needPassword(this.#kept === undefined)
    if (this.#kept === undefined) this.#password.select()
  }

  #needPassword(needed: boolean): void {
    byId('password-field').hidden = !needed
    this.#password.disabled = !needed
  }

  #complain(text: string): void {
    setText(byId('ask-error'), text)
  }

  #keep(password: string | undefined): void {
    this.#kept = password
    byId('lock').hidden = password === undefined
    clearTimeout(this.#forget)
    if (password !== undefined) this.#forget = setTimeout(() => this.#keep(undefined), KEPT)
  }
}

/** As UTF-8 in base64: a header takes no other letters. */
function encode(password: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(password)))
}

const ACTION_TITLES: Record<string, string> = {
  reload: 'Reload',
  refork: 'Refork',
  rollback: 'Roll back',
  scale: 'Scale',
  recycle: 'Recycle'
}

const ACTION_TEXTS: Record<string, string> = {
  reload:
    'Starts new workers with the code on disk, and replaces the old ones one at a time. If the new code does not start, the old workers serve on.',
  refork:
    'Makes a warm worker the mold of a new generation of the same code, and replaces all workers with forks of it.',
  rollback: 'Forks the generation before back from its mold, and replaces all workers with it.',
  scale: 'Changes how many workers serve.',
  recycle: 'Starts a replacement with the same code. When it serves, this one finishes what it holds and leaves.'
}
