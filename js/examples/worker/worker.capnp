using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:3000", http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = "2025-06-01",
  bindings = [(name = "ISSUER", fromEnvironment = "ISSUER")],
  modules = [
    (name = "worker.mjs", esModule = embed "worker.js"),
    (name = "verifier.wasm", wasm = embed "verifier.wasm"),
  ],
);
