import { readdirSync, readFileSync } from 'node:fs'
import { memory } from '../proc.mjs'

// Memory is given back late: what is less than this is no growth, MB and share.
const SLACK = 8
const SHARE = 0.1

/**
 * What the supervisor and the molds below it hold: RSS and PSS in MB, descriptors, threads, children and those of them that
 * have ended and were not reaped. Linux only.
 * @returns {{ role: string, pid: number, rss: number, pss: number, descriptors: number, threads: number, children: number,
 *   zombies: number }[]}
 */
export function family(supervisor) {
  const molds = descendants(supervisor).filter((pid) => title(pid).startsWith('mapache mold'))
  return [of('supervisor', supervisor), ...molds.map((pid) => of('mold', pid))]
}

/** One sample as lines. */
export function show({ edits, family }) {
  return family
    .map(({ role, pid, rss, pss, descriptors, threads, children, zombies }) => {
      const shown = `RSS ${rss.toFixed(1)} MB  PSS ${pss.toFixed(1)} MB  descriptors ${descriptors}  threads ${threads}`
      return `${`${edits}`.padStart(6)} edits  ${role.padEnd(10)} ${pid}  ${shown}  children ${children}  zombies ${zombies}`
    })
    .join('\n')
}

/** Whether no mold of the one sample is there in the other: its figures then say nothing of what grows. */
export function replaced(first, last) {
  const [before, after] = [first, last].map(({ family }) =>
    family.filter(({ role }) => role === 'mold').map(({ pid }) => pid)
  )
  return before.length > 0 && !before.some((pid) => after.includes(pid))
}

/** What has grown from the one sample to the other. PSS is not judged: it depends on who shares the memory now. */
export function flat(first, last) {
  const problems = []
  for (const role of ['supervisor', 'mold']) {
    const [before, after] = [first, last].map((sample) => sample.family.filter((one) => one.role === role))
    if (before.length !== after.length) {
      problems.push(`${before.length} ${role} processes became ${after.length}`)
      continue
    }
    for (const [index, { rss, ...old }] of before.entries()) {
      const now = after[index]
      if (now.rss > rss * (1 + SHARE) + SLACK)
        problems.push(`RSS of the ${role}: ${rss.toFixed(1)} → ${now.rss.toFixed(1)} MB`)
      for (const name of ['descriptors', 'threads', 'children', 'zombies']) {
        if (now[name] > old[name]) problems.push(`${name} of the ${role}: ${old[name]} → ${now[name]}`)
      }
    }
  }
  return problems
}

function of(role, pid) {
  const below = children(pid)
  return {
    role,
    pid,
    ...memory(pid),
    descriptors: count(`/proc/${pid}/fd`),
    threads: count(`/proc/${pid}/task`),
    children: below.length,
    zombies: below.filter((child) => /\) Z /.test(read(child, 'stat'))).length
  }
}

function descendants(pid) {
  return children(pid).flatMap((child) => [child, ...descendants(child)])
}

function children(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      read(pid, `task/${task}/children`).trim().split(' ').filter(Boolean).map(Number)
    )
  } catch {
    return []
  }
}

function title(pid) {
  return read(pid, 'cmdline').replaceAll('\0', ' ').trim()
}

function count(folder) {
  try {
    return readdirSync(folder).length
  } catch {
    return Number.NaN
  }
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
