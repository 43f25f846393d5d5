using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = "2025-06-01",
  bindings = [(name = "ISSUER", fromEnvironment = "ISSUER")],
  modules = [
    (name = "worker-lazy.mjs", esModule = embed "worker-lazy.mjs"),
    (name = "doorlist", esModule = embed "doorlist.js"),
    (name = "verifier.wasm", wasm = embed "verifier.wasm"),
  ],
);
