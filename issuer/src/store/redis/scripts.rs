//! The Lua scripts, and how they are called. A call names the script by its digest. If the server does not know the
//! script, the call is sent again with the full text of the script. This happens at the first call, and after a
//! restart or a `SCRIPT FLUSH`. A script does all of its work or none of it.

use redis::{Cmd, cmd};

use super::keys::slot;

/// A script. The text begins with the parts that several scripts share.
pub(super) struct Script {
    text: String,
    digest: String,
    effect: Effect,
}

/// Whether it is safe to run a script twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// The script only reads. It can run twice without harm.
    Reads,
    /// The script writes. If it runs twice, it can write twice.
    Writes,
}

impl Script {
    fn of(effect: Effect, parts: &[&str]) -> Self {
        let text = parts.concat();
        let digest = redis::Script::new(&text).get_hash().to_owned();
        Self { text, digest, effect }
    }

    /// A call of this script. The first key decides which server runs the script. The other keys must be in the same
    /// slot.
    pub(super) fn on<'a>(&'a self, keys: &[&str]) -> Call<'a> {
        Call { script: self, keys: keys.iter().map(|key| (*key).to_owned()).collect(), args: Vec::new() }
    }
}

/// One call of a script.
pub(super) struct Call<'a> {
    script: &'a Script,
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

/// How a call tells the server which script to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// The call contains the digest of the script.
    Digest,
    /// The call contains the text of the script. The server then remembers the script.
    InFull,
}

impl Call<'_> {
    pub(super) fn arg(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.arg(number.to_string())
    }

    #[cfg(test)]
    fn key(mut self, key: String) -> Self {
        self.keys.push(key);
        self
    }

    /// The keys of the call, for error messages.
    pub(super) fn place(&self) -> String {
        self.keys.join(" or ")
    }

    /// Whether the call can be sent again if the result of the first attempt is unknown.
    pub(super) fn only_reads(&self) -> bool {
        self.script.effect == Effect::Reads
    }

    pub(super) fn slot(&self) -> u16 {
        self.keys.first().map_or(0, |key| slot(key))
    }

    pub(super) fn command(&self, spelling: Spelling) -> Cmd {
        let mut command = match spelling {
            Spelling::Digest => cmd("EVALSHA"),
            Spelling::InFull => cmd("EVAL"),
        };
        command.arg(match spelling {
            Spelling::Digest => &self.script.digest,
            Spelling::InFull => &self.script.text,
        });
        command.arg(self.keys.len()).arg(&self.keys);
        for arg in &self.args {
            command.arg(arg.as_slice());
        }
        command
    }
}

/// All scripts.
pub(super) struct Scripts {
    pub(super) read: Script,
    pub(super) swap: Script,
    pub(super) forget: Script,
    pub(super) settle: Script,
    pub(super) append: Script,
    pub(super) swap_keys: Script,
    pub(super) page: Script,
    pub(super) confirm: Script,
    pub(super) trim: Script,
    pub(super) merge: Script,
    pub(super) state: Script,
    pub(super) note: Script,
    pub(super) audit: Script,
    pub(super) names: Script,
    pub(super) tallies: Script,
    pub(super) swap_tallies: Script,
}

macro_rules! lua {
    ($name:literal) => {
        include_str!(concat!("scripts/", $name, ".lua"))
    };
}

impl Scripts {
    /// Scripts that use the server's clock.
    pub(super) fn new() -> Self {
        Self::with_clock(lua!("clock"))
    }

    fn with_clock(clock: &str) -> Self {
        use Effect::{Reads, Writes};
        let of_record = |effect, body| Script::of(effect, &[lua!("master"), body]);
        let of_log = |effect, body| Script::of(effect, &[lua!("master"), clock, lua!("head"), body]);
        let timed = |effect, body| Script::of(effect, &[lua!("master"), clock, body]);
        Self {
            read: of_record(Reads, lua!("read")),
            swap: of_record(Writes, lua!("swap")),
            forget: of_record(Writes, lua!("forget")),
            settle: of_record(Writes, lua!("settle")),
            append: of_log(Writes, lua!("append")),
            swap_keys: of_log(Writes, lua!("swap_keys")),
            page: of_log(Reads, lua!("page")),
            confirm: of_log(Writes, lua!("confirm")),
            trim: of_log(Writes, lua!("trim")),
            merge: of_log(Writes, lua!("merge")),
            state: of_log(Reads, lua!("state")),
            note: of_log(Writes, lua!("note")),
            audit: Script::of(Reads, &[lua!("audit")]),
            names: Script::of(Reads, &[lua!("names")]),
            tallies: timed(Reads, lua!("tallies")),
            swap_tallies: timed(Writes, lua!("swap_tallies")),
        }
    }
}

/// A clock that tests set. Each call gets one more key, in the same slot as the other keys. The name of this key ends
/// with the clock's time, and the script reads the time from the name.
#[cfg(test)]
pub(super) mod manual {
    use super::{Call, Scripts};
    use crate::store::clock::{HostClock, ManualClock};

    const CLOCK: &str =
        "local function host_micros() return tonumber(string.match(KEYS[#KEYS], '%d+$')) end\n";

    pub(in super::super) fn scripts() -> Scripts {
        Scripts::with_clock(CLOCK)
    }

    /// Adds the clock's time to a call.
    pub(in super::super) fn at<'a>(clock: &ManualClock, call: Call<'a>) -> Call<'a> {
        let key = format!("{}:{}", call.keys[0], clock.micros());
        call.key(key)
    }
}
