import { table } from './cluster-kit.js'

/** As the plan has it during an old-first roll of two workers, or with an app that has failed. */
const OLD_FIRST = { oldFirst: true, surge: 3 }
const old = ['w g1 p1 serving', 'w g1 p2 serving']

table([
  {
    name: 'the old workers are told to hand on what they get, all at once, and none is launched yet',
    slots: ['w g2 x2'],
    capacity: 0,
    desired: OLD_FIRST,
    members: old,
    actions: ['retire 1 reload forward', 'retire 2 reload forward']
  },
  {
    name: 'none is launched while one of them has not said that it does',
    slots: ['w g2 x2'],
    capacity: 0,
    desired: OLD_FIRST,
    now: 150,
    members: ['w g1 p1 retiring forward=100 forwarding', 'w g1 p2 retiring forward=100'],
    actions: [],
    waits: [3_100]
  },
  {
    name: 'when all have said so, the new ones are launched, whatever the old ones still finish',
    slots: ['w g2 x2'],
    capacity: 0,
    desired: OLD_FIRST,
    members: ['w g1 p1 retiring forward=100 forwarding', 'w g1 p2 retiring forward=100 forwarding'],
    actions: ['launch w g2 p1', 'launch w g2 p2']
  },
  {
    name: 'when the only one has exited, too',
    slots: ['w g2 x1'],
    capacity: 0,
    desired: { ...OLD_FIRST, surge: 2 },
    members: [],
    actions: ['launch w g2 p1']
  },
  {
    name: 'one that does not say so in time has a blocked loop: it is killed',
    slots: ['w g2 x1'],
    capacity: 0,
    desired: OLD_FIRST,
    now: 3_100,
    members: ['w g1 p1 retiring forward=100'],
    actions: ['kill 1 hung']
  },
  {
    name: 'until it is gone none is launched: what it holds of the socket goes with it',
    slots: ['w g2 x1'],
    capacity: 0,
    desired: OLD_FIRST,
    now: 3_101,
    members: ['w g1 p1 retiring forward=100 killed'],
    actions: []
  },
  {
    name: 'one that has said so drains as long as any',
    slots: ['w g2 x1'],
    capacity: 0,
    desired: OLD_FIRST,
    now: 80_000,
    members: ['w g1 p1 retiring forward=100 forwarding', 'w g2 p1 serving'],
    actions: []
  },
  {
    name: 'old ones that do not serve yet leave likewise: a spare, one that is about to serve, one in boot',
    slots: ['w g2 x1'],
    capacity: 0,
    desired: OLD_FIRST,
    members: ['w g1 p1 ready', 'w g1 p2 ready activated', 'w g1 p3 launching'],
    actions: ['retire 1 reload forward', 'retire 2 reload forward', 'kill 3 unwanted']
  },
  {
    name: 'those of a roll that it took the place of leave, too',
    slots: ['w g3 x1'],
    capacity: 0,
    desired: OLD_FIRST,
    members: ['w g1 p1 serving', 'w g2 p1 serving'],
    actions: ['retire 1 reload forward', 'retire 2 reload forward']
  },
  {
    name: 'one that was asked to leave, or does not listen, leaves likewise',
    slots: ['w g2 x1'],
    capacity: 0,
    desired: OLD_FIRST,
    members: ['w g1 p1 serving stale', 'w g1 p2 serving deaf'],
    actions: ['retire 1 signal forward', 'retire 2 not-listening forward']
  },
  {
    name: 'one that retires already, and answers what still arrives, is told so, too',
    slots: ['w g2 x1'],
    capacity: 0,
    desired: OLD_FIRST,
    members: ['w g1 p1 retiring', 'w g1 p2 retiring forward=0', 'w g1 p3 retiring forward=0 forwarding'],
    actions: ['retire 1 reload forward']
  },
  {
    name: 'a new one that crashes is launched again at once, when none of the old ones answers',
    slots: ['w g2 x2'],
    capacity: 0,
    desired: OLD_FIRST,
    members: ['w g1 p1 retiring forward=100 forwarding', 'w g2 p2 serving'],
    actions: ['launch w g2 p1']
  },
  {
    name: 'molds and services are launched meanwhile, and services stay new before old',
    slots: ['m g2 x1', 'fw g2 x1', 'shell g2 x1'],
    capacity: 0,
    desired: OLD_FIRST,
    members: ['m g1 p1 ready', 'fw g1 p1 serving', 'shell g1 p1 serving'],
    actions: ['retire 1 unwanted', 'retire 2 reload forward', 'launch m g2 p1', 'launch shell g2 p1']
  },
  {
    name: 'an app that has failed: its other workers hand on what they get',
    slots: ['w g1 x1 fallback'],
    capacity: 0,
    desired: OLD_FIRST,
    members: ['w g1 p2 serving', 'w g1 p1 launching'],
    actions: ['retire 1 reload forward', 'kill 2 unwanted']
  },
  {
    name: 'then its fallback is launched, in a place of its own',
    slots: ['w g1 x1 fallback'],
    capacity: 0,
    desired: OLD_FIRST,
    notBefore: { 'w g1 p1': 5_000 },
    members: ['w g1 p2 retiring forward=0 forwarding'],
    actions: ['launch w g1 p1 fallback']
  },
  {
    name: 'a fallback that crashes has a back-off of its own',
    slots: ['w g1 x1 fallback'],
    capacity: 0,
    desired: OLD_FIRST,
    notBefore: { 'w g1 p1 fallback': 5_000 },
    members: [],
    actions: [],
    waits: [5_000]
  },
  {
    name: 'the fallback hands on what it gets when new code comes',
    slots: ['w g2 x1'],
    capacity: 0,
    desired: OLD_FIRST,
    members: ['w g1 p1 serving fallback'],
    actions: ['retire 1 reload forward']
  },
  {
    name: 'a reload that is new before old leaves it serving',
    slots: ['w g2 x1', 'w g1 x1 fallback'],
    capacity: 1,
    desired: { surge: 2 },
    members: ['w g1 p1 serving fallback', 'w g2 p1 launching'],
    actions: []
  },
  {
    name: 'and it leaves when the first of the new ones has settled',
    slots: ['w g2 x2'],
    capacity: 1,
    desired: { surge: 2 },
    members: ['w g1 p1 serving fallback', 'w g2 p1 serving'],
    actions: ['retire 1 reload', 'launch w g2 p2']
  },
  {
    name: 'a worker of the app is none of its fallback, nor the other way round',
    slots: ['w g1 x1'],
    capacity: 1,
    members: ['w g1 p1 serving fallback', 'w g1 p1 ready'],
    actions: ['activate 2']
  },
  {
    name: 'when the roll has failed meanwhile, one that still hands over holds up those that follow all the same',
    slots: ['w g2 x2'],
    now: 150,
    members: ['w g1 p1 retiring forward=100'],
    actions: []
  },
  {
    name: 'in a stop nothing is handed on: nobody will listen',
    slots: [],
    desired: { ...OLD_FIRST, stopping: 'graceful' },
    members: old,
    actions: ['retire 1 stop', 'retire 2 stop']
  }
])

table([
  {
    name: 'from a base the workers of any generation are forked',
    slots: ['m g-1 x1', 'fw g3 x2 of=-1'],
    members: ['m g-1 p1 ready'],
    actions: ['launch fw g3 p1 of=-1', 'launch fw g3 p2 of=-1']
  },
  {
    name: 'until it is there they wait',
    slots: ['m g-1 x1', 'fw g3 x2 of=-1'],
    members: ['m g-1 p1 launching'],
    actions: []
  },
  {
    name: 'those that serve are theirs, wherever they came from',
    slots: ['m g-1 x1', 'fw g1 x2 of=-1'],
    members: ['m g-1 p1 ready', ...old],
    actions: []
  },
  {
    name: 'a base that another took the place of leaves',
    slots: ['m g-2 x1', 'fw g1 x1 of=-2'],
    members: ['m g-1 p1 ready', 'm g-2 p1 ready', 'fw g1 p1 serving'],
    actions: ['retire 1 unwanted']
  },
  {
    name: 'a standby becomes one worker, and no more',
    slots: ['m g-1 x1 once', 'fw g1 x2 of=-1'],
    members: ['m g-1 p1 ready once'],
    actions: ['launch fw g1 p1 of=-1']
  },
  {
    name: 'whatever the slots are that want one',
    slots: ['m g-1 x1 once', 'fw g2 x1 of=-1', 'fw g1 x2 of=-1'],
    capacity: 2,
    members: ['m g-1 p1 ready once', 'w g1 p1 serving'],
    actions: ['launch fw g2 p1 of=-1']
  },
  {
    name: 'one that was asked already becomes no other',
    slots: ['m g-1 x1 once', 'fw g1 x2 of=-1'],
    now: 150,
    members: ['m g-1 p1 ready once askedAt=100', 'fw g1 p1 launching since=100'],
    actions: []
  },
  {
    name: 'when it is one, another standby is launched',
    slots: ['m g-1 x1 once', 'fw g1 x2 of=-1'],
    members: ['fw g1 p1 launching'],
    actions: ['launch m g-1 p1 once']
  }
])
