//! A `doorlist serve` for one story, with its own folder, its own port, and captured log output.
//!
//! If the environment variable `DOORLIST_STORIES` of the tests is `pair`, a story gets two issuers on one Redis instead
//! of one issuer. Both issuers start and stop together and get requests in turn. Each story must hold in both cases.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::eventually;
use super::http::try_send;
use super::secrets::LogOutput;
use redis_servers::{RedisServer, free_port};

/// The bearer token for `/admin/*`.
pub const ADMIN_KEY: &str = "admin-key-of-the-stories-0123456789";
/// The secret that authenticates refresh tokens and encrypts stored keys.
pub const MASTER_SECRET: &str = "master-secret-of-the-stories-0123456789";

/// The folder of the small disk, inside the issuer's folder.
const SMALL_DISK: &str = "disk";
const SMALL_DISK_BYTES: u64 = 12 << 20;

/// `DOORLIST_*` variables without the prefix, and their values.
pub type Settings<'a> = &'a [(&'a str, &'a str)];

/// The default store. Stories that only apply to the embedded store use this setting.
pub const EMBEDDED: Settings<'_> = &[("STORE", "embedded:./doorlist.redb")];

/// An issuer that runs, or that was stopped and can be started again with the same port and store.
pub struct Issuer {
    // Dropped before the folder, because the search for secrets reads the files in the folder.
    log: LogOutput,
    folder: TempDir,
    settings: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    forgotten: Vec<String>,
    small_disk: bool,
    open_files: Option<u64>,
    port: u16,
    process: Option<Process>,
    pub(super) client: reqwest::Client,
    twin: Option<Box<Twin>>,
}

/// The second issuer of a pair, and the data that both issuers share.
struct Twin {
    issuer: Issuer,
    _redis: RedisServer,
    requests: AtomicUsize,
}

struct Process {
    child: Child,
    readers: [JoinHandle<()>; 2],
}

impl Issuer {
    /// Starts an issuer with the defaults, but with a heartbeat of one second and with full log output.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts an issuer with these additional settings.
    pub async fn start_with(settings: Settings<'_>) -> Self {
        let mut issuer = Self::stopped(settings);
        issuer.restart().await;
        issuer
    }

    /// An issuer that has not been started yet.
    pub fn stopped(settings: Settings<'_>) -> Self {
        let chooses_its_store = settings.iter().any(|(name, _)| *name == "STORE");
        if chooses_its_store || std::env::var_os("DOORLIST_STORIES").is_none_or(|kind| kind != "pair") {
            return Self::alone(settings);
        }
        let redis = RedisServer::start(&[]);
        let store = redis.url();
        let settings = [settings, &[("STORE", &store)]].concat();
        let first = Self::alone(&settings);
        let name = first.url();
        let issuer = Self::alone(&[&[("ISSUER", name.as_str())], &settings[..]].concat());
        let twin = Twin { issuer, _redis: redis, requests: AtomicUsize::new(0) };
        Self { twin: Some(Box::new(twin)), ..first }
    }

    fn alone(settings: Settings<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the issuer");
        Self {
            log: LogOutput::of(folder.path()),
            folder,
            settings: settings
                .iter()
                .map(|(name, value)| (format!("DOORLIST_{name}"), (*value).into()))
                .collect(),
            environment: Vec::new(),
            forgotten: Vec::new(),
            small_disk: false,
            open_files: None,
            port: free_port(),
            process: None,
            client: client(),
            twin: None,
        }
    }

    /// Sets environment variables that are not settings.
    #[must_use]
    pub fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// Removes these variables from the issuer's environment.
    #[must_use]
    pub fn forgetting(mut self, settings: &[&str]) -> Self {
        self.forgotten = settings.iter().map(|name| format!("DOORLIST_{name}")).collect();
        if let Some(twin) = &mut self.twin {
            twin.issuer.forgotten.clone_from(&self.forgotten);
        }
        self
    }

    /// Puts the embedded store on a small disk (a few megabytes). Only the issuer's process sees this disk; see
    /// [`Self::disk`].
    #[must_use]
    pub fn on_small_disk(mut self) -> Self {
        self.settings.push(("DOORLIST_STORE".into(), format!("embedded:./{SMALL_DISK}/doorlist.redb")));
        self.small_disk = true;
        self
    }

    /// Limits the number of open files of the issuer's process.
    #[must_use]
    pub fn with_open_files(mut self, limit: u64) -> Self {
        self.open_files = Some(limit);
        self
    }

    /// The path by which the tests reach the small disk of the running process.
    pub fn disk(&self) -> PathBuf {
        let folder = self.folder.path().strip_prefix("/").expect("an absolute path");
        PathBuf::from(format!("/proc/{}/root", self.id())).join(folder).join(SMALL_DISK)
    }

    /// Starts the issuer on its previous port and store, and waits until it listens.
    pub async fn restart(&mut self) {
        assert!(self.try_restart().await, "the issuer ended at its start:\n{}", self.log());
    }

    /// Like [`Self::restart`], but the issuer is allowed to refuse the start. Returns whether the issuer listens.
    pub async fn try_restart(&mut self) -> bool {
        let listens = eventually("the issuer listens", self.launch()).await.is_ok();
        if !listens {
            self.wait_alone().await;
            return false;
        }
        match &mut self.twin {
            None => true,
            Some(twin) => Box::pin(twin.issuer.try_restart()).await,
        }
    }

    /// Starts the issuer without waiting. For a pair, starts only the first issuer. The receiver reports when the
    /// issuer listens.
    pub fn launch(&mut self) -> oneshot::Receiver<()> {
        assert!(self.process.is_none(), "the issuer already runs");
        // The connections of the old client lead to the previous process, so they are useless.
        self.client = client();
        let mut child = self.command("serve").kill_on_drop(true).spawn().expect("the issuer starts");
        let (listens, listening) = oneshot::channel();
        let readers = [
            tokio::spawn(read(child.stdout.take().expect("piped"), self.log.text(), Some(listens))),
            tokio::spawn(read(child.stderr.take().expect("piped"), self.log.text(), None)),
        ];
        self.process = Some(Process { child, readers });
        listening
    }

    /// `kill -9`, and waits until the process has ended.
    pub async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.wait().await;
    }

    /// Sends SIGTERM, and waits until the process has ended.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait().await
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("the issuer runs");
        let id = process
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.try_into().ok()?))
            .expect("the process has not ended");
        kill_process(id, signal).expect("the signal is sent");
        if let Some(twin) = &self.twin {
            twin.issuer.signal(signal);
        }
    }

    /// Waits until the issuer has ended and its log output is complete.
    pub async fn wait(&mut self) -> ExitStatus {
        let status = self.wait_alone().await;
        if let Some(twin) = &mut self.twin {
            Box::pin(twin.issuer.wait()).await;
        }
        status
    }

    async fn wait_alone(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the issuer runs");
        let status = eventually("the issuer ends", process.child.wait()).await.expect("the exit status");
        for reader in process.readers {
            eventually("the issuer's log output ends", reader)
                .await
                .expect("the task that reads the log output did not panic");
        }
        status
    }

    /// Whether the process still runs.
    pub fn is_alive(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.child.try_wait().expect("the exit status").is_none())
    }

    /// Waits until `/healthz` answers with 200.
    pub async fn until_alive(&self) {
        eventually("the issuer is alive", async {
            while !try_send(self.request(reqwest::Method::GET, "/healthz"))
                .await
                .is_ok_and(|it| it.status == 200)
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// Waits until `/readyz` answers with 503 and this reason.
    pub async fn until_unready_for(&self, reason: &str) {
        eventually(&format!("/readyz says {reason:?}"), async {
            loop {
                let reply = self.get("/readyz").await;
                if reply.status == 503 && reply.text().contains(reason) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// The process id of the issuer.
    pub fn id(&self) -> u32 {
        self.process.as_ref().and_then(|process| process.child.id()).expect("the issuer runs")
    }

    /// Waits until the issuer can use its store.
    pub async fn until_ready(&self) {
        self.until_readiness_is(200).await;
    }

    /// Waits until `/readyz` answers with this status, and returns the body.
    pub async fn until_readiness_is(&self, status: u16) -> String {
        eventually(&format!("the issuer's readiness is {status}"), async {
            loop {
                let reply = self.get("/readyz").await;
                if reply.status == status {
                    return reply.text();
                }
                // In each heartbeat interval, the issuer checks its store twice.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
    }

    /// Returns a command that runs the same binary with the same settings.
    pub fn command(&self, subcommand: &str) -> Command {
        let command = match self.open_files {
            _ if subcommand != "serve" => doorlist(),
            _ if self.small_disk => on_small_disk(),
            Some(limit) => with_open_files(limit),
            None => doorlist(),
        };
        self.with_settings(command, subcommand)
    }

    /// Returns a command in which another program starts the same binary. `wrapper` contains the name and the arguments
    /// of this other program.
    pub fn command_under(&self, wrapper: &[&str], subcommand: &str) -> Command {
        let (program, args) = wrapper.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(args).arg(env!("CARGO_BIN_EXE_doorlist"));
        self.with_settings(without_environment(command), subcommand)
    }

    fn with_settings(&self, mut command: Command, subcommand: &str) -> Command {
        command
            .arg(subcommand)
            .current_dir(self.folder.path())
            .env("DOORLIST_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("DOORLIST_MASTER_SECRET", MASTER_SECRET)
            .env("DOORLIST_ADMIN_KEY", ADMIN_KEY)
            .env("DOORLIST_HEARTBEAT_SECS", "1")
            .env("DOORLIST_LOG", "debug")
            .envs(self.settings.iter().chain(&self.environment).map(|(name, value)| (name, value)));
        let is_shared =
            |(name, store): &(String, String)| name == "DOORLIST_STORE" && store.starts_with("redis");
        if self.settings.iter().any(is_shared) {
            // Every story begins with an empty Redis.
            command.env("DOORLIST_INIT", "true");
        }
        for name in &self.forgotten {
            command.env_remove(name);
        }
        command
    }

    /// The issuer's standard output and standard error, from its first start on.
    pub fn log(&self) -> String {
        self.log.so_far() + &self.twin.as_ref().map(|twin| twin.issuer.log()).unwrap_or_default()
    }

    /// The folder in which the issuer was started.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The issuer's port on this host.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The `iss` of the issuer's tokens, and the base of its addresses.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The addresses of the lists of both nodes of a pair. The result is empty for a single issuer, because then there
    /// is only one list.
    pub(super) fn lists_of_pair(&self) -> Vec<String> {
        let Some(twin) = &self.twin else { return Vec::new() };
        [self, &twin.issuer].map(|issuer| format!("{}/revocations", issuer.url())).into()
    }

    /// The issuer that gets the next request.
    pub(super) fn in_turn(&self) -> &Self {
        match &self.twin {
            Some(twin) if twin.requests.fetch_add(1, Ordering::Relaxed) % 2 == 1 => &twin.issuer,
            _ => self,
        }
    }
}

/// Returns a client without a connection pool. With a pool, a request sometimes waits for a connection that is never
/// opened. This happens when the issuer is killed under load.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("an HTTP client")
}

/// The binary in its own mount namespace, in which [`SMALL_DISK`] is a separate disk.
fn on_small_disk() -> Command {
    let mut unshare = without_environment(Command::new("unshare"));
    if !rustix::process::geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    let mount = format!(
        "mkdir -p {SMALL_DISK} && mount -t tmpfs -o size={SMALL_DISK_BYTES} doorlist {SMALL_DISK} && exec \"$0\" \"$@\""
    );
    unshare.args(["--mount", "sh", "-c", &mount, env!("CARGO_BIN_EXE_doorlist")]);
    unshare.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    unshare
}

/// The binary, which may open at most this many files and cannot raise this limit.
fn with_open_files(limit: u64) -> Command {
    let mut shell = without_environment(Command::new("/bin/sh"));
    shell.args(["-c", &format!("ulimit -n {limit} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_doorlist")]);
    shell
}

/// The binary, without this process's environment.
pub fn doorlist() -> Command {
    without_environment(Command::new(env!("CARGO_BIN_EXE_doorlist")))
}

fn without_environment(mut command: Command) -> Command {
    let kept = ["RUST_BACKTRACE", "LLVM_PROFILE_FILE"];
    command
        .env_clear()
        .envs(kept.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Copies lines into the log output. Reports when a line says that the issuer listens.
async fn read(
    from: impl AsyncRead + Unpin,
    log: Arc<Mutex<String>>,
    mut listens: Option<oneshot::Sender<()>>,
) {
    let mut lines = BufReader::new(from).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line);
        if line.contains("listening on http://")
            && let Some(listens) = listens.take()
        {
            // Perhaps the caller that started the issuer no longer waits for this report.
            let _ = listens.send(());
        }
        let mut log = log.lock().expect("no thread panicked");
        log.push_str(&line);
        log.push('\n');
    }
}
