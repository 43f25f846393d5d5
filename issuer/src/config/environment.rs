//! Refuses unknown `DOORLIST_…` variables: a misspelt name would otherwise be ignored, and the operator would notice
//! too late.

use std::ffi::OsString;

/// A `DOORLIST_…` variable that is not a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not a setting{}", hint(.meant))]
pub struct UnknownVariable {
    name: String,
    meant: Option<String>,
}

fn hint(meant: &Option<String>) -> String {
    match meant {
        Some(meant) => format!(": did you mean {meant}?"),
        None => ": unset it; `doorlist serve --help` lists every setting".to_owned(),
    }
}

/// The first variable, in alphabetical order, that begins with `DOORLIST_` and that no argument of `command` reads.
pub fn unknown_variable(
    command: &clap::Command,
    variables: impl Iterator<Item = OsString>,
) -> Option<UnknownVariable> {
    let mut known = Vec::new();
    collect(command, &mut known);
    variables
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with("DOORLIST_") && !known.contains(name))
        .min()
        .map(|name| UnknownVariable { meant: nearest(&name, &known), name })
}

/// The first variable, in alphabetical order, that begins with `DOORLIST_` and whose value is not UTF-8 text.
pub fn unreadable_variable(variables: impl Iterator<Item = (OsString, OsString)>) -> Option<String> {
    variables
        .filter(|(_, value)| value.to_str().is_none())
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with("DOORLIST_"))
        .min()
}

fn collect(command: &clap::Command, known: &mut Vec<String>) {
    known.extend(
        command
            .get_arguments()
            .filter_map(|arg| arg.get_env())
            .map(|name| name.to_string_lossy().into_owned()),
    );
    command.get_subcommands().for_each(|subcommand| collect(subcommand, known));
}

/// The known name with the smallest edit distance to `name`, if that distance is at most 6.
fn nearest(name: &str, known: &[String]) -> Option<String> {
    let (distance, nearest) = known.iter().map(|other| (strsim::osa_distance(name, other), other)).min()?;
    (distance <= 6).then(|| nearest.clone())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn check(names: &[&str]) -> Option<String> {
        unknown_variable(&Cli::command(), names.iter().map(Into::into)).map(|unknown| unknown.to_string())
    }

    #[test]
    fn a_misspelt_variable_is_named_with_the_right_one() {
        assert_eq!(
            check(&["PATH", "DOORLIST_LISTEN", "DOORLIST_ACESS_TTL_SEC"]).as_deref(),
            Some("DOORLIST_ACESS_TTL_SEC is not a setting: did you mean DOORLIST_ACCESS_TTL_SECS?")
        );
        assert_eq!(
            check(&["DOORLIST_COLOUR_OF_THE_DOOR"]).as_deref(),
            Some(
                "DOORLIST_COLOUR_OF_THE_DOOR is not a setting: unset it; \
                 `doorlist serve --help` lists every setting"
            )
        );
    }

    #[test]
    fn settings_of_every_subcommand_are_known() {
        assert_eq!(
            check(&["DOORLIST_URL", "DOORLIST_ADMIN_KEY_FILE", "DOORLIST_MASTER_SECRET", "HOME"]),
            None
        );
    }
}
