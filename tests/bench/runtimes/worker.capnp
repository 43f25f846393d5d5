using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = "2025-06-01",
  compatibilityFlags = ["nodejs_compat"],
  modules = [
    (name = "worker.mjs", esModule = embed "worker.js"),
    (name = "doorlist", esModule = embed "doorlist.js"),
    (name = "verifier.wasm", wasm = embed "verifier.wasm"),
    (name = "lookup.wasm", wasm = embed "lookup.wasm"),
    (name = "world.json", json = embed "world.json"),
  ],
);
