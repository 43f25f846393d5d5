//! Redis servers for tests. Each server ends when its test ends.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longest time for a server to start or to answer a command. This limit does not test speed. It only ends a test that
/// hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// A shell script that runs a server. The script kills the server when the script's standard input is closed. The
/// standard input is closed when the test ends, for any reason.
///
/// The script ignores the signals that a cancelled CI run sends to all processes. Otherwise such a signal would end
/// the script, and a suspended server would keep running.
pub const GUARD: &str = r#"trap '' TERM INT HUP
"$@" </dev/null & echo "started as $!"; cat >/dev/null; kill -9 "$!" 2>/dev/null; wait"#;

/// One `redis-server` on a free port of this machine, in its own folder. Unless options say otherwise, the server
/// writes to the AOF before it answers a write. So an answered write survives [`kill`](Self::kill).
pub struct RedisServer {
    program: String,
    kind: Kind,
    options: Vec<String>,
    port: u16,
    second_port: Option<SecondPort>,
    folder: TempDir,
    process: Option<Process>,
}

/// The second port, and the option that sets it.
struct SecondPort(String, u16);

enum Kind {
    /// The server keeps data.
    Data,
    /// The server is a sentinel: it watches a master and rewrites its configuration file.
    Sentinel { configuration: String },
}

struct Process {
    shell: Child,
    /// When this pipe is closed, the shell kills the server.
    life: Option<ChildStdin>,
    id: u32,
}

impl RedisServer {
    /// Starts a server with these options, such as `["--maxmemory", "1mb"]`.
    pub fn start(options: &[&str]) -> Self {
        Self::start_program("redis-server", options)
    }

    /// Starts another program that takes the same options as `redis-server`.
    pub fn start_program(program: &str, options: &[&str]) -> Self {
        Self::start_kind(program, || Kind::Data, None, options)
    }

    /// Starts a server that also listens on a second port. The option `second` sets that port: `--tls-port` or
    /// `--cluster-port`.
    pub fn start_on_two_ports(second: &str, options: &[&str]) -> Self {
        Self::start_kind("redis-server", || Kind::Data, Some(second), options)
    }

    /// Starts a sentinel that watches the master on this port under the name `doorlist`. If the master does not answer
    /// for two seconds, the sentinel considers the master down. A failover needs two sentinels that agree. If
    /// `password` is given, it is the password of the master and of the sentinel.
    pub fn start_sentinel(master: u16, password: Option<&str>) -> Self {
        let watch = format!("sentinel monitor doorlist 127.0.0.1 {master} 2");
        let mut lines = vec![watch.as_str()];
        lines.push("sentinel down-after-milliseconds doorlist 2000");
        lines.push("sentinel failover-timeout doorlist 3000");
        let login = password.map(|word| format!("requirepass {word}\nsentinel auth-pass doorlist {word}"));
        lines.extend(login.as_deref());
        let configuration = lines.join("\n");
        Self::start_kind(
            "redis-server",
            || Kind::Sentinel { configuration: configuration.clone() },
            None,
            &[],
        )
    }

    fn start_kind(
        program: &str,
        kind: impl Fn() -> Kind,
        second_port: Option<&str>,
        options: &[&str],
    ) -> Self {
        let mut refusal = String::new();
        // Another process may take the port before the server uses it. So each attempt uses another port.
        for _ in 0..5 {
            let mut server = Self {
                program: program.to_owned(),
                kind: kind(),
                options: options.iter().map(|option| (*option).to_owned()).collect(),
                port: free_port(),
                second_port: second_port.map(|option| SecondPort(option.to_owned(), free_port())),
                folder: tempfile::tempdir().expect("a folder"),
                process: None,
            };
            match server.try_resume() {
                Ok(()) => return server,
                Err(said) => refusal = said,
            }
        }
        panic!("{program} does not start: {refusal}");
    }

    /// The port at which the server answers.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The second port.
    pub fn second_port(&self) -> u16 {
        self.second_port.as_ref().expect("the server was started on two ports").1
    }

    /// The URL `redis://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The id of the server's process.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("the server runs").id
    }

    /// Sends a signal to the server's process, for example to suspend or continue it.
    pub fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.id().cast_signed()).expect("a process");
        kill_process(process, signal).expect("this user owns the process");
    }

    /// Runs a command without a password. Panics if the command fails.
    pub fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        self.try_ask(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// Runs a command without a password. Returns an error if the server refuses the command.
    pub fn try_ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> redis::RedisResult<T> {
        let mut connection = redis::Client::open(self.url())?.get_connection_with_timeout(LIMIT)?;
        connection.set_read_timeout(Some(LIMIT))?;
        let (name, args) = command.split_first().expect("a command");
        redis::cmd(name).arg(args).query(&mut connection)
    }

    /// Waits until this many replicas follow the server.
    pub fn until_followed(&self, replicas: u64) {
        let end = Instant::now() + LIMIT;
        // The loop needs no sleep: `WAIT` blocks until the replicas answer, for at most 100 ms.
        while self.ask::<u64>(&["WAIT", &replicas.to_string(), "100"]) < replicas {
            assert!(Instant::now() < end, "{replicas} replicas did not come");
        }
    }

    /// Waits until this replica has written its first copy of the master's data to its AOF. Before that, the replica
    /// may answer late.
    pub fn until_it_has_written(&self) {
        let end = Instant::now() + LIMIT;
        let done = ["aof_rewrite_in_progress:0", "aof_rewrite_scheduled:0"];
        let is_done = |info: String| done.iter().all(|line| info.contains(line));
        while !is_done(self.ask(&["INFO", "persistence"])) {
            assert!(Instant::now() < end, "{} still rewrites its AOF", self.program);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the process with `kill -9`, and waits until the process has ended.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        drop(process.life.take());
        let end = Instant::now() + LIMIT;
        // The shell notices the closed pipe, kills the server and ends.
        while matches!(process.shell.try_wait(), Ok(None)) {
            if Instant::now() >= end {
                // If the test panics already, do not panic a second time. Then only the first failure is reported.
                assert!(std::thread::panicking(), "{} does not end", self.program);
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Makes the server a replica of the master on the port `master`, from the next start of the server.
    pub fn follow(&mut self, master: u16) {
        self.options.extend(["--replicaof".to_owned(), format!("127.0.0.1 {master}")]);
    }

    /// Starts the server again on its port and in its folder.
    pub fn resume(&mut self) {
        self.try_resume().unwrap_or_else(|said| panic!("{} does not start again: {said}", self.program));
    }

    fn try_resume(&mut self) -> Result<(), String> {
        assert!(self.process.is_none(), "the server already runs");
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh", &self.program]);
        let ready = match &self.kind {
            Kind::Data => {
                command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
                if let Some(SecondPort(option, port)) = &self.second_port {
                    command.args([option, &port.to_string()]);
                }
                // With `appendfsync no`, Redis passes every write to the operating system before it answers, and `kill
                // -9` does not lose such a write. With `always`, a slow disk would delay every client. With `everysec`,
                // Redis may answer before it passes the write on.
                command.args(["--appendonly", "yes", "--appendfsync", "no"]);
                command.args(["--repl-diskless-sync-delay", "0"]);
                "Ready to accept connections"
            }
            Kind::Sentinel { configuration } => {
                let file = self.folder.path().join("sentinel.conf");
                if !file.exists() {
                    std::fs::write(&file, configuration).map_err(|error| error.to_string())?;
                }
                command.arg(file).args([
                    "--sentinel",
                    "--port",
                    &self.port.to_string(),
                    "--bind",
                    "127.0.0.1",
                ]);
                "+monitor master"
            }
        };
        command.arg("--dir").arg(self.folder.path()).args(&self.options);
        let mut shell = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let lines = lines_of(shell.stdout.take().expect("piped"));
        let mut process = Process { life: shell.stdin.take(), shell, id: 0 };
        let mut said = String::new();
        let mut is_ready = false;
        let end = Instant::now() + LIMIT;
        // The shell writes the line with the process id. This line may come before or after the server's lines.
        while process.id == 0 || !is_ready {
            let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) else { break };
            if let Some(id) = line.strip_prefix("started as ") {
                process.id = id.parse().expect("the id of a process");
            }
            is_ready |= line.contains(ready);
            said.push_str(&line);
            said.push('\n');
            if ["# Failed", "FATAL", "bye bye"].iter().any(|end| line.contains(end)) {
                break;
            }
        }
        let started = process.id != 0 && is_ready;
        self.process = Some(process);
        if started {
            return Ok(());
        }
        self.kill();
        Err(said)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (line, lines) = channel();
    std::thread::spawn(move || {
        // Reads all output of the server, even if the receiver is gone. Otherwise the pipe could fill up and block the
        // server.
        for said in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _no_receiver = line.send(said);
        }
    });
    lines
}

/// A port that was free a moment ago. This process gives out each port only once, so a stopped server can use its
/// port again. The operating system never chooses this port for an outgoing connection or for port 0.
pub fn free_port() -> u16 {
    static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    loop {
        let port = rand::random_range(20_000..32_000);
        let is_new = GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        if is_new && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
