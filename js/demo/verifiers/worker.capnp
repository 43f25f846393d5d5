using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    # Workers reach public addresses only; the demo's issuer is on this machine.
    (name = "internet", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = "2025-06-01",
  bindings = [(name = "ISSUER", fromEnvironment = "ISSUER")],
  modules = [
    (name = "worker.mjs", esModule = embed "worker.mjs"),
    (name = "doorlist", esModule = embed "../../dist/workerd.js"),
    (name = "verifier.wasm", wasm = embed "../../dist/verifier.wasm"),
  ],
);
