import { table } from './cluster-kit.js'

table([
  {
    name: 'forked workers wait for their mold',
    slots: ['m g1 x1', 'fw g1 x2'],
    actions: ['launch m g1 p1']
  },
  {
    name: 'a mold that is not ready yet forks nothing',
    slots: ['m g1 x1', 'fw g1 x2'],
    members: ['m g1 p1 launching'],
    actions: []
  },
  {
    name: 'from a mold that is ready they are forked',
    slots: ['m g1 x1', 'fw g1 x2'],
    members: ['m g1 p1 ready'],
    actions: ['launch fw g1 p1', 'launch fw g1 p2']
  },
  {
    name: 'a promoted worker is a mold as well',
    slots: ['m g2 x1', 'fw g2 x1'],
    members: ['m g2 p1 promoted'],
    actions: ['launch fw g2 p1']
  },
  {
    name: 'the mold of another generation is no help',
    slots: ['m g1 x1', 'm g2 x1', 'fw g2 x1', 'fw g1 x2'],
    members: ['m g1 p1 ready', 'm g2 p1 launching', 'fw g1 p1 serving', 'fw g1 p2 serving'],
    capacity: 2,
    actions: []
  },
  {
    name: 'a mold that was killed forks nothing, and is replaced when it is gone',
    slots: ['m g1 x1', 'fw g1 x1'],
    members: ['m g1 p1 ready killed'],
    actions: []
  },
  {
    name: 'a mold that is to be replaced because it does not obey is killed',
    slots: ['m g1 x1', 'fw g1 x1'],
    members: ['m g1 p1 ready deaf', 'fw g1 p1 serving'],
    actions: ['kill 1 not-listening', 'launch m g1 p1']
  },
  {
    name: 'a mold that was asked to leave does so, and another takes its place',
    slots: ['m g1 x1', 'fw g1 x1'],
    members: ['m g1 p1 ready stale', 'fw g1 p1 serving'],
    actions: ['retire 1 signal', 'launch m g1 p1']
  },
  {
    name: 'a mold that does not leave is killed before long: there is nothing to drain',
    slots: ['m g1 x1', 'fw g1 x1'],
    members: ['m g0 p1 retiring since=0', 'm g1 p1 ready', 'fw g1 p1 serving'],
    now: 5_000,
    actions: ['kill 1 drain-timeout']
  },
  {
    name: 'a mold that nothing wants leaves, promoted or not; one that boots is killed',
    slots: ['m g2 x1', 'fw g2 x1'],
    members: ['m g1 p1 ready', 'm g2 p1 ready', 'm g3 p1 promoted', 'fw g2 p1 serving', 'm g4 p1 launching'],
    actions: ['retire 1 unwanted', 'retire 3 unwanted', 'kill 5 unwanted']
  },
  {
    name: 'in a stop molds leave with the workers',
    slots: [],
    members: ['m g1 p1 ready', 'fw g1 p1 serving'],
    desired: { stopping: 'graceful' },
    actions: ['retire 1 stop', 'retire 2 stop']
  },
  {
    name: 'in a stop a mold that was sent the socket for a fork is killed, and workers wait for its end',
    slots: [],
    members: ['m g1 p1 ready askedAt=1', 'fw g1 p1 serving', 'fw g1 p2 launching'],
    desired: { stopping: 'graceful' },
    now: 2,
    actions: ['kill 1 stop', 'kill 3 stop']
  },
  {
    name: 'a silent mold is hung like any other',
    slots: ['m g1 x1', 'fw g1 x1'],
    members: ['m g1 p1 ready seen=0', 'fw g1 p1 serving seen=5000'],
    desired: { hangTimeout: 5_000 },
    now: 5_000,
    actions: ['kill 1 hung']
  },
  {
    name: 'a mold that does not fork what it was asked for is hung, whatever hangTimeout is',
    slots: ['m g1 x1', 'fw g1 x1'],
    members: ['m g1 p1 ready askedAt=1000', 'fw g1 p1 launching since=1000'],
    now: 6_000,
    actions: ['kill 1 hung']
  },
  {
    name: 'a mold that does not load in time is killed at bootTimeout',
    slots: ['m g1 x1', 'fw g1 x1'],
    members: ['m g1 p1 launching since=0'],
    desired: { bootTimeout: 1_000 },
    now: 1_000,
    actions: ['kill 1 boot-timeout']
  },
  {
    name: 'without its mold a generation is spawned',
    slots: ['w g1 x2'],
    members: ['m g1 p1 ready', 'fw g1 p1 serving'],
    actions: ['retire 1 unwanted', 'launch w g1 p2']
  }
])
