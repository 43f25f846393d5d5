//! The stored identity of an installation: the settings on which the stored data depends.
//!
//! Refresh tokens are bound to the issuer's name, so a new name makes all of them invalid. A node with another name can
//! start only if the operator states that the name changes (trace 54). The store then records the former name and a
//! time. Refresh tokens with the former name stay valid for sessions opened before that time.

use std::collections::BTreeMap;

use doorlist_verifier::UnixSeconds;
use serde::{Deserialize, Serialize};

/// For this many seconds after a rename, nodes with the former name can still open sessions. Within one heartbeat (at
/// most 30 s), such a node reads the installation's new record. After that, the node opens no more sessions.
pub const NOTICE_SECS: u64 = 60;
/// Maximum number of former names that are kept. If there are more, the oldest names are dropped.
const MAX_FORMER: usize = 8;

/// The identity in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The `iss` of every new token.
    pub issuer: String,
    /// The former names, the oldest first.
    #[serde(default)]
    pub former: Vec<FormerIssuer>,
    /// The settings of the node that started last, each under the name of its flag. During a rolling deployment,
    /// nodes may have different settings. Each difference is reported.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

/// A former name of the issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerIssuer {
    /// The `iss` of tokens made under this name.
    pub issuer: String,
    /// Refresh tokens with this name are valid only for sessions opened before this time.
    pub until: UnixSeconds,
}

/// The settings that this node was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The value of `--issuer`.
    pub issuer: String,
    /// The values of `--former-issuer`.
    pub former: Vec<String>,
    /// Settings that should be the same on every node, each under the name of its flag.
    pub settings: BTreeMap<String, String>,
}

/// Why a node is not allowed to start on this store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// The issuer's name in the store differs from the name in the node's settings.
    #[error(
        "this store belongs to the issuer {stored}, and --issuer (DOORLIST_ISSUER) is {own}: refresh tokens of one name \
         are not valid under the other. Correct the setting or the store; to rename the issuer, start every node with \
         --issuer {own} --former-issuer {stored} (DOORLIST_FORMER_ISSUER)"
    )]
    Issuer {
        /// The name in the store.
        stored: String,
        /// The name in the node's settings.
        own: String,
    },
    /// The store has never recorded the given former name. It is possible that the name belongs to another
    /// installation.
    #[error(
        "--former-issuer (DOORLIST_FORMER_ISSUER) is {named}, but this store has never had that name (its former names: {}): \
         remove or correct the setting", listed(.known)
    )]
    Former {
        /// The unknown name.
        named: String,
        /// The names that this store has recorded.
        known: Vec<String>,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "not recorded".to_owned() } else { names.join(", ") }
}

/// The result for a node that is allowed to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The record to store.
    pub installation: Installation,
    /// The former names whose refresh tokens this node accepts.
    pub former: Vec<FormerIssuer>,
    /// One item for each setting whose value differs from the value of the node that started last.
    pub differences: Vec<Difference>,
}

/// A setting whose value differs from the value of the node that started last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The flag of the setting.
    pub flag: String,
    /// The value of the node that started last.
    pub stored: String,
    /// The value of this node.
    pub own: String,
}

/// Decides whether a node is allowed to start on this store. Returns the record that the node must then store.
///
/// # Errors
///
/// [`Foreign`] if the node is not allowed to start.
pub fn admit(stored: Option<&Installation>, own: &Own, now: UnixSeconds) -> Result<Admitted, Foreign> {
    let nothing = Installation { issuer: own.issuer.clone(), former: Vec::new(), settings: BTreeMap::new() };
    let stored = stored.unwrap_or(&nothing);
    let mut former = stored.former.clone();
    if stored.issuer != own.issuer {
        if !own.former.contains(&stored.issuer) {
            return Err(Foreign::Issuer { stored: stored.issuer.clone(), own: own.issuer.clone() });
        }
        former.push(FormerIssuer { issuer: stored.issuer.clone(), until: now.plus_secs(NOTICE_SECS) });
        // If the issuer changes back to an earlier name, that name is no longer a former name.
        former.retain(|former| former.issuer != own.issuer);
        former.drain(..former.len().saturating_sub(MAX_FORMER));
    }
    if let Some(unknown) = own.former.iter().find(|name| !former.iter().any(|known| known.issuer == **name)) {
        let known = former.into_iter().map(|former| former.issuer).collect();
        return Err(Foreign::Former { named: unknown.clone(), known });
    }
    let understood = former.iter().filter(|former| own.former.contains(&former.issuer)).cloned().collect();
    Ok(Admitted {
        differences: differences(stored, own),
        former: understood,
        installation: Installation { issuer: own.issuer.clone(), former, settings: own.settings.clone() },
    })
}

/// The settings whose value on this node differs from the stored value.
pub fn differences(stored: &Installation, own: &Own) -> Vec<Difference> {
    let both = own.settings.iter().filter_map(|(flag, own)| Some((flag, own, stored.settings.get(flag)?)));
    let different = both.filter(|(_, own, stored)| own != stored);
    different
        .map(|(flag, own, stored)| Difference {
            flag: flag.clone(),
            stored: stored.clone(),
            own: own.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::at;

    const NOW: u64 = 1_000_000;
    const OLD: &str = "https://old.example";
    const NEW: &str = "https://new.example";

    fn own(issuer: &str, former: &[&str]) -> Own {
        let settings = BTreeMap::from([("--audience".to_owned(), "api".to_owned())]);
        Own { issuer: issuer.into(), former: former.iter().map(|name| (*name).into()).collect(), settings }
    }

    fn stored(own: &Own) -> Installation {
        admit(None, own, at(NOW)).expect("a new store").installation
    }

    #[test]
    fn b8_a_store_without_a_stored_name_takes_the_given_name() {
        let admitted = admit(None, &own(OLD, &[]), at(NOW)).expect("as before there were records");
        assert_eq!((admitted.installation.issuer.as_str(), admitted.differences.len()), (OLD, 0));
        assert!(admit(Some(&admitted.installation), &own(OLD, &[]), at(NOW)).is_ok());
    }

    #[test]
    fn b8_another_name_is_refused_with_both_names_and_the_next_step() {
        let refused = admit(Some(&stored(&own(OLD, &[]))), &own(NEW, &[]), at(NOW)).unwrap_err().to_string();
        for part in [OLD, NEW, "--former-issuer", "DOORLIST_FORMER_ISSUER"] {
            assert!(refused.contains(part), "{refused}");
        }
    }

    #[test]
    fn trace_54_a_former_name_must_be_one_that_this_store_had() {
        let before = stored(&own(OLD, &[]));
        let renamed = admit(Some(&before), &own(NEW, &[OLD]), at(NOW)).expect("the former name is set");
        let former = FormerIssuer { issuer: OLD.into(), until: at(NOW + NOTICE_SECS) };
        assert_eq!(renamed.former, std::slice::from_ref(&former));
        assert_eq!(renamed.installation.issuer, NEW);

        // A second node starts with the new name, or the first node starts again.
        let again = admit(Some(&renamed.installation), &own(NEW, &[OLD]), at(NOW + 500)).expect("recorded");
        assert_eq!(again.former, [former], "the time of the change stays");
        let without = admit(Some(&renamed.installation), &own(NEW, &[]), at(NOW)).expect("the name fits");
        assert_eq!(without.former, [], "the setting does not contain the former name");

        let refused = |stored, own| admit(stored, &own, at(NOW)).unwrap_err();
        let foreign = refused(Some(&before), own(OLD, &["https://production.example"]));
        assert!(matches!(foreign, Foreign::Former { .. }), "another installation's name");
        let unrecorded = refused(None, own(NEW, &[OLD]));
        assert!(matches!(unrecorded, Foreign::Former { .. }));
        assert!(unrecorded.to_string().contains("(its former names: not recorded)"), "{unrecorded}");
        let another = refused(Some(&renamed.installation), own(NEW, &["https://production.example"]));
        assert!(another.to_string().contains(&format!("(its former names: {OLD})")), "{another}");
        // A node is started with the former name after the rename.
        assert!(matches!(
            admit(Some(&renamed.installation), &own(OLD, &[]), at(NOW)),
            Err(Foreign::Issuer { .. })
        ));
        let back =
            admit(Some(&renamed.installation), &own(OLD, &[NEW]), at(NOW + 900)).expect("renamed back");
        assert_eq!(back.former.len(), 1);
        assert_eq!(back.installation.former[0].issuer, NEW);
    }

    #[test]
    fn b8_different_settings_are_reported_with_both_values() {
        let before = stored(&own(OLD, &[]));
        let mut other = own(OLD, &[]);
        other.settings.insert("--audience".into(), "web".into());
        other.settings.insert("--of-a-later-version".into(), "1".into());
        let admitted = admit(Some(&before), &other, at(NOW)).expect("these settings may differ");
        let difference = Difference { flag: "--audience".into(), stored: "api".into(), own: "web".into() };
        assert_eq!(admitted.differences, [difference]);
        assert_eq!(admitted.installation.settings["--audience"], "web", "of the node that started last");
    }

    #[test]
    fn the_number_of_former_names_is_limited() {
        let mut held = stored(&own("https://0.example", &[]));
        for number in 1..20 {
            let former = held.issuer.clone();
            held = admit(Some(&held), &own(&format!("https://{number}.example"), &[&former]), at(NOW))
                .expect("the former name is set")
                .installation;
        }
        assert_eq!(held.former.len(), MAX_FORMER);
        assert_eq!(held.former[7].issuer, "https://18.example");
    }
}
