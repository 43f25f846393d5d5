//! Searches for a history that breaks a promise, although the nodes follow the rules of the issuer. A history is a
//! sequence of events. Within a [`Scope`](rules::Scope), the search tries every order of the events. The events are: a
//! step of one of the two nodes, a crash, a failover that loses the last writes, a lost answer, and passing time.
//!
//! The issuer's own code makes the decisions: the rules of `domain` (`login`, `refresh`, `kick`, `void`, `heal`,
//! `Holdings`) and `LogView`. Two parts are modelled: the store (`store.rs`) and the desk's loop (`steps.rs`). The
//! store has one record with its version, the revocation log, and a replica that can fall behind. Each exchange with
//! the store is one step of the loop. The promises are in `promises.rs`.
//!
//! # Reading a counterexample
//!
//! The search is breadth first, so it prints one of the shortest histories. Only the additional scopes of
//! `DOORLIST_MODEL=long` are searched depth first. Each line is one event, in order. For example, `A: swaps, …` is a
//! step of node A's request, and `the replica takes over` is the failover. The last line is the event that broke the
//! promise. The line above the history names this promise. The step `A: is asked: Refresh(0)` also reads the record.
//! `(sid, g, p)` is a session with its generations, see the table of `domain::refresh`. The initial handles are 81
//! (sid) and 97 (gid). When a node heals a record, it draws small handles. The other handles are derived from their
//! requests (`named` in `events.rs`). To experiment, narrow the scope until every event of the history is necessary.
//!
//! # What is assumed
//!
//! A heartbeat is short. If a failover loses entries, and a living node still holds these entries, this node puts the
//! entries back and heals the record before a grace window passes. Until the record is healed, a refresh at the other
//! node does not count as a violation, and neither does a list of the other node. A list of the node that put the
//! entries back must be complete. Without `WAIT`, a failover loses an entry of the revocation log only if a living node
//! has received this entry. Two requests of one session are never pending across the end of a grace window. They are
//! also never pending during a failover that loses more than one write of the session. The first login is never lost.
//!
//! # What is not searched
//!
//! Cut-offs, keys, disabling, passwords, the cap on sessions, an emptied store, a node that stays on a demoted
//! master, and clocks that differ. Other tests cover these cases.

mod decide;
mod events;
mod guards;
mod node;
mod promises;
mod rules;
mod scopes;
mod shared;
mod shipping;
mod steps;
mod store;
mod world;

use std::io::Write;
use std::time::Instant;

use rules::{Rule, Scope};
use stateright::{Checker, CheckerBuilder, HasDiscoveries, Model, Path};
use world::{Action, Doorlist, World};

/// Every promise holds in every history of every scope. `DOORLIST_MODEL=long` adds wider scopes.
#[test]
fn no_history_breaks_a_promise() {
    let long = std::env::var_os("DOORLIST_MODEL").is_some_and(|length| length == "long");
    let mut visited = 0;
    for (name, scope) in scopes::short() {
        visited += states_of(name, |search| search.spawn_bfs(), scope);
    }
    for (name, scope) in if long { scopes::long() } else { Vec::new() } {
        // The search is depth first, because then the queue of states to visit stays small.
        visited += states_of(name, |search| search.spawn_dfs(), scope);
    }
    // The test harness hides `eprintln!` of a test that passes.
    writeln!(std::io::stderr(), "the model visited {visited} states, and every promise holds")
        .expect("standard error");
}

fn states_of<C: Checker<Doorlist>>(
    name: &str,
    search: impl FnOnce(CheckerBuilder<Doorlist>) -> C,
    scope: Scope,
) -> usize {
    let begun = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let every = Doorlist::new(scope).checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
    let searched = search(every).join();
    let states = searched.unique_state_count();
    println!("{name}: {states} states, {} steps deep, {:.1?}", searched.max_depth(), begun.elapsed());
    if let Some((promise, path)) = searched.discoveries().into_iter().next() {
        panic!("{name}: this promise is broken: {promise}\n{}", told(path));
    }
    states
}

/// Searches with these rules switched off. Returns the promise that is broken in the shortest history found.
fn without(rules: &'static [Rule], scope: Scope) -> &'static str {
    let searched = Doorlist::new(Scope { off: rules, ..scope })
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let states = searched.unique_state_count();
    let Some((promise, path)) = searched.discoveries().into_iter().next() else {
        panic!("without {rules:?} the search finds nothing in {states} states");
    };
    println!("without {rules:?}, after {states} states, this promise is broken: {promise}\n{}", told(path));
    promise
}

/// One line per event.
fn told(path: Path<World, Action>) -> String {
    let line = |(before, action): (World, Option<Action>)| Some(action?.told(&before));
    path.into_vec().into_iter().filter_map(line).map(|line| format!("  {line}\n")).collect()
}

/// The same search, with the issuer's own desk in place of the loop of `steps.rs`. If the variable
/// `DOORLIST_MODEL_SHIPPING` names a scope of the short run, only that scope is searched.
#[test]
fn no_history_of_the_shipping_loop_breaks_a_promise() {
    let chosen = std::env::var("DOORLIST_MODEL_SHIPPING").ok();
    let small = ["two tabs", "a kick and a login"];
    let is_wanted = |name: &str| chosen.as_ref().map_or(small.contains(&name), |chosen| chosen == name);
    for (name, scope) in scopes::short().into_iter().filter(|(name, _)| is_wanted(name)) {
        let begun = Instant::now();
        let searched = search_shipping(scope);
        let states = searched.unique_state_count();
        println!("the shipping loop, {name}: {states} states, {:.1?}", begun.elapsed());
        if let Some((promise, path)) = searched.discoveries().into_iter().next() {
            panic!("{name}: this promise is broken: {promise}\n{:#?}", path.into_actions());
        }
        assert!(states > 1000, "{name} has only {states} states");
    }
}

/// This test checks the search over the issuer's own desk: on a store that ignores versions, the search finds a broken
/// promise.
#[test]
fn the_shipping_loop_needs_a_store_that_compares_versions() {
    let scope = Scope { off: &[Rule::CompareAndSwap], ..scopes::a_kick_and_a_void() };
    let searched = search_shipping(scope);
    let states = searched.unique_state_count();
    let found = searched.discoveries().into_iter().next();
    let (_, path) = found.unwrap_or_else(|| panic!("the search finds no broken promise in {states} states"));
    println!("after {states} states: {:#?}", path.into_actions());
}

fn search_shipping(scope: Scope) -> impl Checker<shipping::Shipping> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let every = shipping::Shipping::new(scope).checker().threads(threads);
    every.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join()
}

/// These tests check the search. If a rule is switched off, the search finds the bug that the rule prevents. If two
/// rules guard against the same bug and each is sufficient, the test removes both.
mod without_its_rule {
    use super::rules::Rule::*;
    use super::{scopes, without};

    /// The bug may break any of these promises first.
    const OF_A_KICK: [&str; 3] = [
        "no acknowledged kick is undone",
        "no verifier accepts a token whose revocation its list contains",
        "staleness is never understated",
    ];
    const REFUSED: &str = "no client that sends its latest token is refused";
    const TWO_CHAINS: &str = "one token never leads to two live chains";

    #[test]
    fn trace_2_a_number_is_given_twice() {
        assert!(OF_A_KICK.contains(&without(&[SequenceNeverTwice], scopes::two_numbers())));
    }

    #[test]
    fn trace_2_a_lost_entry_stays_lost() {
        assert!(OF_A_KICK.contains(&without(&[UnionAfterFailover], scopes::a_failover_and_a_window())));
    }

    #[test]
    fn trace_3_a_kick_is_undone_at_its_expiry() {
        assert!(OF_A_KICK.contains(&without(&[HealBeforeTrim], scopes::a_kick_that_expires())));
    }

    #[test]
    fn trace_3_no_node_finishes_a_logged_kick() {
        assert!(OF_A_KICK.contains(&without(&[HealOnRead], scopes::a_kick_that_expires())));
    }

    #[test]
    fn trace_4a_a_void_overtakes_a_kick() {
        assert!(
            OF_A_KICK.contains(&without(&[KickSeesSessionsGone, KickOvertaken], scopes::a_kick_and_a_void()))
        );
    }

    #[test]
    fn trace_4b_the_weaker_kind_comes_first() {
        assert!(OF_A_KICK.contains(&without(&[StrongestKind], scopes::a_kick_a_void_and_a_failover())));
    }

    #[test]
    fn a_token_of_a_lost_void_survives_a_kick() {
        assert!(OF_A_KICK.contains(&without(&[StraysRevoked], scopes::a_void_that_is_lost())));
    }

    #[test]
    fn trace_59_a_confirmation_comes_between_restoring_and_healing() {
        assert!(OF_A_KICK.contains(&without(&[HealBeforeConfirm], scopes::a_void_that_is_lost())));
    }

    #[test]
    fn trace_59_a_list_is_signed_between_restoring_and_healing() {
        assert!(OF_A_KICK.contains(&without(&[HealBeforeList], scopes::a_void_that_is_lost())));
    }

    #[test]
    fn sessions_escape_a_kick_on_the_branch_that_was_lost() {
        assert!(OF_A_KICK.contains(&without(&[KickOvertaken], scopes::a_kick_behind_a_void_that_is_lost())));
    }

    #[test]
    fn trace_4c_the_tail_lags() {
        assert!(OF_A_KICK.contains(&without(&[NewsAfterRecord], scopes::a_kick_a_void_and_a_failover())));
    }

    #[test]
    fn trace_4d_what_was_read_from_one_master_is_swapped_on_another() {
        assert!(
            OF_A_KICK
                .contains(&without(&[VersionNamesMaster, KickOvertaken], scopes::a_kick_a_void_and_shards()))
        );
    }

    #[test]
    fn trace_4e_a_login_after_the_kick_is_kicked() {
        assert_eq!(without(&[HealByHandle], scopes::a_kick_and_a_login()), REFUSED);
    }

    #[test]
    fn a_swap_ignores_the_stored_version() {
        assert!(OF_A_KICK.contains(&without(&[CompareAndSwap], scopes::a_kick_and_a_void())));
    }

    #[test]
    fn a_node_dies_between_swap_and_append() {
        assert!(OF_A_KICK.contains(&without(&[AppendFirst], scopes::a_crash())));
    }

    #[test]
    fn trace_5a_an_answer_is_lost() {
        assert_eq!(without(&[LostAnswerHeals], scopes::tabs()), REFUSED);
    }

    #[test]
    fn trace_5b_two_tabs_refresh_at_once() {
        assert_eq!(without(&[GraceWindow], scopes::tabs()), REFUSED);
    }

    #[test]
    fn trace_5c_a_failover_takes_a_generation_back() {
        assert_eq!(without(&[StoreCatchesUp], scopes::tabs_and_a_failover()), REFUSED);
    }

    #[test]
    fn trace_5_thief_and_user_alternate() {
        assert_eq!(without(&[ParentOnlyOnce], scopes::a_thief()), TWO_CHAINS);
    }

    #[test]
    fn an_acknowledgement_that_no_replica_has_is_lost() {
        assert!(OF_A_KICK.contains(&without(&[Wait], scopes::waited())));
    }
}
