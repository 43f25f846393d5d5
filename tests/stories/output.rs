//! Standard output and standard error cannot be written. Requests, starts and exit codes do not depend on these
//! streams.

use std::fs::File;
use std::io::Write as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::support::{EMBEDDED, Issuer, RedisServer, Session, doorlist, eventually, exchange, try_send};

/// The state of the reader of an output stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// The descriptor is closed at the start.
    Closed,
    /// The reader of the pipe has closed the pipe.
    Gone,
    /// The pipe is full, and its reader does not read.
    Stopped,
    /// The disk is full.
    FullDisk,
}

/// The read end of a full pipe, which must stay open.
type Held = Option<std::io::PipeReader>;

impl Reader {
    fn stream(self) -> (Stdio, Held) {
        match self {
            Self::Closed => (Stdio::null(), None),
            Self::FullDisk => {
                (File::options().write(true).open("/dev/full").expect("a Linux device").into(), None)
            }
            Self::Gone => (std::io::pipe().expect("a pipe").1.into(), None),
            Self::Stopped => {
                let (reader, mut writer) = std::io::pipe().expect("a pipe");
                // The capacity of a Linux pipe.
                writer.write_all(&[b'\n'; 64 << 10]).expect("the pipe has room for this");
                (writer.into(), Some(reader))
            }
        }
    }
}

/// Returns a command that runs `command` in a shell. The shell first applies the given redirections, which close
/// descriptors.
fn closing(command: &Command, redirections: &str) -> Command {
    let command = command.as_std();
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!(r#"exec "$0" "$@" {redirections}"#));
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// Connects standard output (1) or standard error (2) of the command to this reader. The test captures the other
/// stream.
fn with_reader(command: Command, descriptor: u8, reader: Reader) -> (Command, Held) {
    let mut command = match reader {
        Reader::Closed => return (closing(&command, &format!("{descriptor}>&-")), None),
        _ => command,
    };
    let (stream, held) = reader.stream();
    match descriptor {
        1 => command.stdout(stream),
        _ => command.stderr(stream),
    };
    (command, held)
}

#[tokio::test]
async fn b1_the_exit_code_of_a_command_depends_on_the_request_and_not_on_the_output() {
    let issuer = Issuer::start().await;
    issuer.open_session("alice").await;
    let mut added = 0;
    for reader in [Reader::Closed, Reader::Gone, Reader::FullDisk] {
        for descriptor in [1, 2] {
            added += 1;
            let name = format!("subject-{added}");
            for (arguments, code) in [
                (&["subject", "add", &name] as &[&str], 0),
                (&["subject", "list"], 0),
                (&["kick", "alice"], 0),
                (&["subject", "disable", &name], 0),
                (&["keys", "list"], 0),
                (&["kick", "mallory"], 1),
                (&["kick", "--gid", "x"], 1),
                (&["bogus"], 1),
                (&["--help"], 0),
                (&["serve", "--help"], 0),
                (&["--version"], 0),
                (&["subject"], 2),
                (&[], 2),
            ] {
                let mut command = issuer.command(arguments.first().unwrap_or(&"--help"));
                if arguments.is_empty() {
                    command = doorlist();
                }
                command.args(arguments.iter().skip(1)).env("DOORLIST_URL", issuer.url());
                let (mut command, _held) = with_reader(command, descriptor, reader);
                // `Command::output` is not used, because it would replace the command's output streams with pipes.
                let child = command.kill_on_drop(true).spawn().expect("the process starts");
                let output =
                    eventually("the command ends", child.wait_with_output()).await.expect("the process ends");
                let said = String::from_utf8_lossy(&output.stderr);
                let case = format!("{arguments:?}, {descriptor} is {reader:?}: {said}");
                assert_eq!(output.status.code(), Some(code), "{case}");
                assert!(!said.contains("panicked"), "{case}");
                let is_printed_to_1 = code == 0;
                let wants_a_word = descriptor == 1 && reader == Reader::FullDisk && is_printed_to_1;
                assert_eq!(said.contains("could not be written to standard output"), wants_a_word, "{case}");
            }
            assert!(issuer.admin(Method::GET, &format!("/subjects/{name}"), None).await.status.is_success());
        }
    }
}

/// `serve` with both output streams connected to this reader.
struct Served {
    child: Child,
    held: [Held; 2],
}

impl Served {
    fn start(issuer: &Issuer, reader: Reader) -> Self {
        let mut command = issuer.command("serve");
        let ((stdout, out), (stderr, err)) = (reader.stream(), reader.stream());
        command.stdout(stdout).stderr(stderr);
        if reader == Reader::Closed {
            command = closing(&command, ">&- 2>&-");
        }
        Self { child: command.kill_on_drop(true).spawn().expect("the process starts"), held: [out, err] }
    }

    async fn stop(mut self) -> ExitStatus {
        let id = self.child.id().expect("the process runs").cast_signed();
        kill_process(Pid::from_raw(id).expect("a process"), Signal::TERM)
            .expect("this user owns the process");
        eventually("the process ends", self.child.wait()).await.expect("the exit status")
    }
}

/// Waits until a request is answered with this status.
async fn until(issuer: &Issuer, path: &str, status: u16) {
    eventually(&format!("{path} answers {status}"), async {
        while !matches!(try_send(issuer.request(Method::GET, path)).await, Ok(reply) if reply.status == status) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

async fn serves_on_while_redis_goes_away(reader: Reader) {
    let mut redis = RedisServer::start(&[]);
    let store = redis.url();
    let issuer = Issuer::stopped(&[("STORE", &store), ("LOG", "debug")]);
    let served = Served::start(&issuer, reader);
    until(&issuer, "/readyz", 200).await;
    let session = issuer.open_session("alice").await;

    redis.kill();
    for _ in 0..50 {
        let reply = issuer.refresh(&session.refresh).await;
        assert_eq!(reply.status, 503, "{}", reply.text());
        assert_eq!(issuer.get("/revocations").await.status, 200, "the last list is still served");
        issuer.get("/nothing/here").await.refused(404, "not_found");
    }
    until(&issuer, "/readyz", 503).await;
    assert_eq!(issuer.get("/healthz").await.status, 200);

    redis.resume();
    until(&issuer, "/readyz", 200).await;
    Session::of(&issuer.refresh(&session.refresh).await);
    assert_eq!(served.stop().await.code(), Some(0), "{reader:?}");
}

#[tokio::test]
async fn b1_the_issuer_continues_to_serve_when_its_output_is_closed() {
    serves_on_while_redis_goes_away(Reader::Closed).await;
}

#[tokio::test]
async fn b1_the_issuer_continues_to_serve_when_the_reader_of_its_log_is_gone() {
    serves_on_while_redis_goes_away(Reader::Gone).await;
}

#[tokio::test]
async fn b1_the_issuer_continues_to_serve_when_the_reader_of_its_log_does_not_read() {
    serves_on_while_redis_goes_away(Reader::Stopped).await;
}

#[tokio::test]
async fn b1_the_issuer_continues_to_serve_when_its_log_has_no_room() {
    serves_on_while_redis_goes_away(Reader::FullDisk).await;
}

#[tokio::test]
async fn b1_a_failed_start_exits_with_1_and_prints_the_reason() {
    for reader in [Reader::Closed, Reader::Gone, Reader::Stopped, Reader::FullDisk] {
        let issuer = Issuer::stopped(&[("STORE", "embedded:./there/is/no/folder.redb")]);
        let mut served = Served::start(&issuer, reader);
        let status = eventually("the process ends", served.child.wait()).await.expect("the exit status");
        assert_eq!(status.code(), Some(1), "{reader:?}");
    }
    let mut issuer = Issuer::stopped(&[("STORE", "embedded:./there/is/no/folder.redb")]);
    assert!(!issuer.try_restart().await);
    assert!(
        issuer.log().contains("doorlist: ") && issuer.log().contains("no/folder.redb"),
        "{}",
        issuer.log()
    );
}

/// When the reader of a full pipe reads again, a later line of the log output reports the number of lost lines.
#[tokio::test]
async fn b1_lines_that_were_lost_are_counted_on_a_later_line() {
    let issuer = Issuer::stopped(&[EMBEDDED, &[("LOG", "debug")]].concat());
    let mut served = Served::start(&issuer, Reader::Stopped);
    until(&issuer, "/readyz", 200).await;
    // Each request writes one line of more than 150 bytes. At most 1 MiB of lines waits for the reader.
    const REQUESTS: usize = 10_000;
    let id = "x".repeat(64);
    let get = |more: &str| format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: {id}\r\n{more}\r\n");
    let requests = get("").repeat(REQUESTS - 1) + &get("Connection: close\r\n");
    let reply = exchange(issuer.port(), requests.as_bytes()).await;
    let others = String::from_utf8_lossy(&reply.body).matches("HTTP/1.1 200").count();
    assert_eq!((reply.status, others), (Some(200), REQUESTS - 1), "no request waits for the log output");

    let reader = served.held[1].take().expect("the pipe of the log output");
    let log = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut { reader }, &mut text).map(|_| text)
    });
    assert_eq!(served.stop().await.code(), Some(0));
    let log = log.await.expect("no panic").expect("text");
    assert!(log.contains("log lines were lost"), "{}", &log[log.len().saturating_sub(2000)..]);
}
