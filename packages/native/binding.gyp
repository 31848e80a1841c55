{
  "variables": {
    # 1 leaves out the fork-aware worker pool: a build whose forked processes hang, to prove that the self-test sees it.
    "mapache_without_pool%": 0
  },
  "targets": [
    {
      "target_name": "mapache",
      "sources": [
        "src/addon.cc",
        "src/arguments.cc",
        "src/descriptors.cc",
        "src/fork.cc",
        "src/mappings.cc",
        "src/platform.cc",
        "src/pool.cc",
        "src/processes.cc",
        "src/quiet.cc",
        "src/stack.cc",
        "src/watchdog.cc"
      ],
      "cflags": ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-cast-function-type", "-fvisibility=hidden"],
      "conditions": [
        ["mapache_without_pool==1", { "defines": ["MAPACHE_WITHOUT_POOL"] }]
      ]
    }
  ]
}
