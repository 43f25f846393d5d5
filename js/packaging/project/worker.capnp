using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = "2025-01-01",
  modules = [
    (name = "worker.mjs", esModule = embed "worker.mjs"),
    (name = "conformance.mjs", esModule = embed "conformance.mjs"),
    (name = "vectors.mjs", esModule = embed "vectors.mjs"),
    (name = "doorlist", esModule = embed "doorlist.js"),
    (name = "verifier.wasm", wasm = embed "verifier.wasm"),
  ],
);
