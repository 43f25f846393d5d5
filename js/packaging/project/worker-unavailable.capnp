using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = "2025-01-01",
  modules = [
    (name = "worker-unavailable.mjs", esModule = embed "worker-unavailable.mjs"),
    (name = "doorlist", esModule = embed "doorlist.js"),
  ],
);
