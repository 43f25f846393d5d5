//! The scopes of the search, one for each kind of fault. A single scope with all kinds of faults would have too many
//! states.

use crate::rules::{Budget, Replicas, Scope, Shards};
use crate::world::Ask;

const NOTHING: Budget = Budget {
    kicks: 0,
    voids: 0,
    logins: 0,
    refreshes: 0,
    lost_answers: 0,
    crashes: 0,
    failovers: 0,
    windows: 0,
    retains: 0,
};

/// Record and revocation log on two shards, no `WAIT`, one tab.
fn of(most: Budget) -> Scope {
    Scope {
        off: &[],
        replicas: Replicas::Unheard,
        shards: Shards::Two,
        behind_by: &[],
        most,
        tabs: 1,
        thief: false,
    }
}

fn waiting(most: Budget) -> Scope {
    Scope { replicas: Replicas::Waited, shards: Shards::One, ..of(most) }
}

pub fn kicks_and_a_failover() -> Scope {
    of(Budget { kicks: 1, refreshes: 1, failovers: 1, ..NOTHING })
}

pub fn a_failover_and_a_window() -> Scope {
    of(Budget { kicks: 1, refreshes: 1, failovers: 1, windows: 1, ..NOTHING })
}

pub fn a_kick_that_expires() -> Scope {
    of(Budget { kicks: 1, refreshes: 1, failovers: 1, retains: 1, ..NOTHING })
}

pub fn a_kick_and_a_void() -> Scope {
    of(Budget { kicks: 1, voids: 1, refreshes: 1, ..NOTHING })
}

pub fn a_kick_a_void_and_a_failover() -> Scope {
    let one_server = of(Budget { kicks: 1, voids: 1, refreshes: 1, failovers: 1, ..NOTHING });
    Scope { shards: Shards::One, ..one_server }
}

pub fn a_void_that_is_lost() -> Scope {
    let most = Budget { kicks: 1, voids: 1, refreshes: 1, failovers: 1, ..NOTHING };
    Scope { shards: Shards::One, behind_by: &[Ask::Void, Ask::Refresh(0)], ..of(most) }
}

pub fn a_void_that_is_lost_and_two_refreshes() -> Scope {
    let most = Budget { refreshes: 2, ..a_void_that_is_lost().most };
    Scope { most, ..a_void_that_is_lost() }
}

pub fn a_kick_behind_a_void_that_is_lost() -> Scope {
    let most = Budget { kicks: 1, voids: 2, refreshes: 1, failovers: 1, ..NOTHING };
    Scope { shards: Shards::One, behind_by: &[Ask::Void, Ask::Kick], ..of(most) }
}

pub fn two_numbers() -> Scope {
    of(Budget { kicks: 1, voids: 1, failovers: 1, windows: 1, ..NOTHING })
}

pub fn a_kick_a_void_and_shards() -> Scope {
    of(Budget { kicks: 1, voids: 1, refreshes: 1, failovers: 1, ..NOTHING })
}

pub fn a_kick_and_a_login() -> Scope {
    of(Budget { kicks: 1, logins: 1, refreshes: 2, ..NOTHING })
}

pub fn a_crash() -> Scope {
    of(Budget { kicks: 2, refreshes: 1, crashes: 1, ..NOTHING })
}

pub fn waited() -> Scope {
    waiting(Budget { kicks: 1, refreshes: 1, crashes: 1, failovers: 1, ..NOTHING })
}

pub fn tabs() -> Scope {
    Scope { tabs: 2, ..of(Budget { refreshes: 5, lost_answers: 1, windows: 2, ..NOTHING }) }
}

pub fn tabs_and_a_failover() -> Scope {
    let two = of(Budget { refreshes: 4, lost_answers: 1, failovers: 1, windows: 2, ..NOTHING });
    Scope { tabs: 2, shards: Shards::One, ..two }
}

pub fn a_thief() -> Scope {
    Scope { thief: true, ..of(Budget { refreshes: 4, windows: 4, ..NOTHING }) }
}

pub fn short() -> Vec<(&'static str, Scope)> {
    vec![
        ("kicks and a failover", kicks_and_a_failover()),
        ("a kick that expires", a_kick_that_expires()),
        ("a kick and a void", a_kick_and_a_void()),
        ("a void that is lost", a_void_that_is_lost()),
        ("a kick and a login", a_kick_and_a_login()),
        ("a crash and a failover with WAIT", waited()),
        ("two tabs", tabs()),
        ("two tabs and a failover", tabs_and_a_failover()),
        ("a thief", a_thief()),
    ]
}

/// The additional scopes of `DOORLIST_MODEL=long`. A scope with a kick, a void, a refresh and a failover in any order
/// has too many states (more than a hundred million). So the scopes with a lost void begin after the writes that the
/// failover can lose.
pub fn long() -> Vec<(&'static str, Scope)> {
    vec![
        ("a crash", a_crash()),
        ("a failover and a window", a_failover_and_a_window()),
        ("a kick behind a void that is lost", a_kick_behind_a_void_that_is_lost()),
        ("a void that is lost, and two refreshes", a_void_that_is_lost_and_two_refreshes()),
        ("two numbers", two_numbers()),
    ]
}
