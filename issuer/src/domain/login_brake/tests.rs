use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use proptest::prelude::*;

use super::*;

const START: u64 = 1_767_225_600;
/// The ceiling of one account for networks that have used their [`FREE`] attempts. A place that is reserved shortly
/// before an hour may be used in it.
const CEILING: usize =
    (ACCOUNT_BURST + (HOUR_SECS + LONGEST_WAIT_SECS + RESERVED_SECS) / ACCOUNT_SECS) as usize;

/// The networks of a client with their factors. A number is the name of a network.
type Networks = Vec<(u64, u32)>;

fn ipv4(number: u64) -> Networks {
    vec![(number, 1)]
}

/// A client in one of 65,536 networks of one /48.
fn ipv6(number: u64) -> Networks {
    vec![(number, 1), (1_000_000 + number / 256, 2), (2_000_000 + number / 65_536, 4)]
}

/// All counters, as a store keeps them.
#[derive(Default)]
struct World {
    accounts: HashMap<&'static str, Flow>,
    pairs: HashMap<(&'static str, u64), Streak>,
    networks: HashMap<u64, Flow>,
    devices: HashMap<&'static str, Streak>,
}

impl World {
    fn change<T>(
        &mut self,
        account: &'static str,
        networks: &Networks,
        has_device: bool,
        change: impl FnOnce(&mut Counters) -> T,
    ) -> T {
        let mut counters = Counters {
            account: self.accounts.get(account).copied().unwrap_or_default(),
            device: has_device.then(|| self.devices.get(account).copied().unwrap_or_default()),
            ..Counters::default()
        };
        for &(network, factor) in networks {
            let pair = self.pairs.get(&(account, network)).copied().unwrap_or_default();
            counters.pairs.push(Counted { counter: pair, factor });
            let of_all = self.networks.get(&network).copied().unwrap_or_default();
            counters.networks.push(Counted { counter: of_all, factor });
        }
        let outcome = change(&mut counters);
        self.accounts.insert(account, counters.account);
        if let Some(device) = counters.device {
            self.devices.insert(account, device);
        }
        for ((network, _), (pair, of_all)) in
            networks.iter().zip(counters.pairs.iter().zip(&counters.networks))
        {
            self.pairs.insert((account, *network), pair.counter);
            self.networks.insert(*network, of_all.counter);
        }
        outcome
    }

    /// An attempt with a wrong password.
    fn guess(&mut self, account: &'static str, networks: &Networks, now: u64) -> Result<(), u64> {
        self.take(account, networks, now).map(drop).map_err(|braked| braked.wait_secs)
    }

    fn take(&mut self, account: &'static str, networks: &Networks, now: u64) -> Result<Taken, Braked> {
        self.change(account, networks, false, |counters| counters.take(now))
    }

    /// An attempt with the right password.
    fn log_in(&mut self, account: &'static str, networks: &Networks, now: u64) -> Result<(), u64> {
        let taken = self.take(account, networks, now).map_err(|braked| braked.wait_secs)?;
        self.change(account, networks, false, |counters| counters.succeeded(taken, now));
        Ok(())
    }
}

/// Many networks guess one account until `until`. Each repeats its attempt exactly when it may. Returns the time and
/// the network of each attempt that was let through.
fn attack(world: &mut World, networks: &[Networks], until: u64) -> Vec<(u64, u64)> {
    let mut due: BinaryHeap<_> = (0..networks.len()).map(|at| Reverse((START, at))).collect();
    let mut guesses = Vec::new();
    while let Some(Reverse((now, at))) = due.pop() {
        if now >= until {
            break;
        }
        let wait_secs = match world.guess("alice", &networks[at], now) {
            Ok(()) => {
                guesses.push((now, networks[at][0].0));
                0
            }
            Err(wait_secs) => wait_secs,
        };
        due.push(Reverse((now + wait_secs, at)));
    }
    guesses
}

/// The largest number of these times in one hour.
fn most_in_an_hour(times: impl Iterator<Item = u64>) -> usize {
    let times: Vec<_> = times.collect();
    let in_hour = |from: &u64| times.iter().filter(|at| (*from..from + HOUR_SECS).contains(at)).count();
    times.iter().map(in_hour).max().unwrap_or(0)
}

#[test]
fn the_waits_grow_and_then_the_network_is_refused() {
    let mut world = World::default();
    let (mut now, mut waits, mut allowed) = (START, Vec::new(), 0);
    while waits.last() != Some(&HOUR_SECS) {
        match world.guess("alice", &ipv4(1), now) {
            Ok(()) => allowed += 1,
            Err(wait_secs) => {
                waits.push(wait_secs);
                now += wait_secs;
            }
        }
    }
    assert_eq!((allowed, waits), (TRIES, vec![1, 2, 4, 8, 16, 32, 64, HOUR_SECS]));
    assert_eq!(world.guess("alice", &ipv4(1), now), Ok(()), "the streak has ended");
}

#[test]
fn trace_51_any_number_of_networks_gets_a_limited_number_of_guesses() {
    for count in [1, 5, 60, 400] {
        let networks: Vec<_> = (0..count).map(ipv4).collect();
        let guesses = attack(&mut World::default(), &networks, START + 3 * HOUR_SECS);
        let most = most_in_an_hour(guesses.iter().map(|(at, _)| *at));
        assert!(most <= CEILING + FREE as usize * networks.len(), "{count} networks: {most}");
        for network in 0..count.min(20) {
            let own = guesses.iter().filter(|(_, of)| *of == network).map(|(at, _)| *at);
            assert!(most_in_an_hour(own) <= TRIES as usize, "{count} networks");
        }
    }
}

#[test]
fn trace_52_the_networks_of_one_provider_are_counted_together() {
    let networks: Vec<_> = (0..2000).map(|number| ipv6(number * 32)).collect();
    let guesses = attack(&mut World::default(), &networks, START + HOUR_SECS);
    assert_eq!(guesses.len(), 4 * TRIES as usize, "a /48");
}

#[test]
fn one_network_tries_a_limited_number_of_passwords_over_all_accounts() {
    let names: Vec<&'static str> =
        (0..400).map(|number| &*Box::leak(format!("user-{number}").into_boxed_str())).collect();
    let mut world = World::default();
    let (mut now, mut guesses) = (START, Vec::new());
    while now < START + 2 * HOUR_SECS {
        let least = names.iter().filter_map(|name| match world.guess(name, &ipv4(1), now) {
            Ok(()) => {
                guesses.push(now);
                None
            }
            Err(wait_secs) => Some(wait_secs),
        });
        now += least.min().unwrap_or(0).max(1);
    }
    let ceiling = NETWORK_BURST + HOUR_SECS / NETWORK_SECS;
    assert_eq!(ceiling, 200);
    assert!(most_in_an_hour(guesses.into_iter()) <= ceiling as usize);
}

#[test]
fn clients_without_an_address_share_the_places_of_an_account() {
    let mut world = World::default();
    let mut guesses = Vec::new();
    for now in START..START + HOUR_SECS {
        match world.guess("alice", &Vec::new(), now) {
            Ok(()) => guesses.push(now),
            Err(wait_secs) => assert!(wait_secs <= ACCOUNT_SECS),
        }
    }
    assert_eq!(guesses.len() as u64, ACCOUNT_BURST + HOUR_SECS / ACCOUNT_SECS - 1);
}

#[test]
fn a_new_password_clears_every_counter_of_the_account() {
    let mut world = World::default();
    attack(&mut world, &(0..30).map(ipv4).collect::<Vec<_>>(), START + 600);
    let now = START + 600;
    assert!(world.guess("alice", &ipv4(1), now).is_err());
    world.change("alice", &Vec::new(), false, Counters::clear_account);
    assert_eq!(world.log_in("alice", &ipv4(1), now), Ok(()));
}

#[test]
fn an_attempt_that_was_not_checked_is_given_back() {
    let mut world = World::default();
    for _ in 0..1000 {
        let taken = world.take("alice", &ipv4(1), START).expect("allowed");
        world.change("alice", &ipv4(1), false, |counters| counters.unchecked(taken, START));
    }
}

#[test]
fn a_used_up_device_counts_as_an_unknown_device() {
    let mut world = World::default();
    let mut take = |now| world.change("alice", &ipv4(1), true, |counters| counters.take(now));
    let (mut now, mut on_device) = (START, 0);
    loop {
        match take(now) {
            Ok(Taken::Device) => on_device += 1,
            Ok(Taken::Unknown { .. }) => break,
            Err(braked) => now += braked.wait_secs,
        }
    }
    assert_eq!(on_device, TRIES);
}

#[test]
fn a_clock_that_goes_back_makes_no_wait_longer_than_an_hour() {
    let mut world = World::default();
    attack(&mut world, &(0..30).map(ipv4).collect::<Vec<_>>(), START + 600);
    let now = START - 30 * 86_400;
    for network in 0..30 {
        assert!(
            world.guess("alice", &ipv4(network), now).err().is_none_or(|wait_secs| wait_secs <= HOUR_SECS)
        );
    }
    assert!(
        world.guess("alice", &ipv4(99), now).err().is_none_or(|wait_secs| wait_secs <= LONGEST_WAIT_SECS)
    );
}

/// Attempts of strangers: the network, and the seconds since the attempt before.
fn strangers() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop_oneof![
        prop::collection::vec((0..40_u64, 0..3_u64), 0..400),
        prop::collection::vec((0..400_u64, 0..40_u64), 0..400)
    ]
}

proptest! {
    #[test]
    fn strangers_make_an_unknown_device_wait_a_stated_time(before in strangers(), meanwhile in strangers()) {
        let mut world = World::default();
        let mut now = START;
        for (network, since) in before {
            now += since;
            let _ = world.guess("alice", &ipv4(network), now);
        }
        let owner = ipv4(1000);
        let Err(wait_secs) = world.log_in("alice", &owner, now) else { return Ok(()) };
        prop_assert!((1..=LONGEST_WAIT_SECS).contains(&wait_secs));
        let mut at = now;
        for (network, since) in meanwhile {
            at += since;
            if at < now + wait_secs {
                let _ = world.guess("alice", &ipv4(network), at);
            }
        }
        prop_assert_eq!(world.log_in("alice", &owner, now + wait_secs), Ok(()));
    }

    #[test]
    fn strangers_never_delay_a_known_device(before in strangers(), in_the_same_network: bool) {
        let mut world = World::default();
        let mut now = START;
        for (network, since) in before {
            now += since;
            let _ = world.guess("alice", &ipv4(network), now);
        }
        let owner = ipv4(if in_the_same_network { 0 } else { 1000 });
        let taken = world.change("alice", &owner, true, |counters| counters.take(now));
        prop_assert_eq!(taken, Ok(Taken::Device));
    }

    #[test]
    fn logins_into_the_own_account_between_guesses_change_nothing(guesses in strangers(), own: Vec<bool>) {
        let (mut with, mut without) = (World::default(), World::default());
        let mut now = START;
        for ((network, since), logs_in) in guesses.into_iter().zip(own.into_iter().chain(std::iter::repeat(true))) {
            now += since;
            let guess = with.guess("alice", &ipv4(network), now);
            prop_assert_eq!(guess, without.guess("alice", &ipv4(network), now));
            if logs_in {
                let _ = with.log_in("mallory", &ipv4(network), now);
            }
        }
    }

    #[test]
    fn strangers_who_come_at_any_time_stay_under_the_ceiling(guesses in strangers()) {
        let mut world = World::default();
        let (mut now, mut allowed, mut networks) = (START, Vec::new(), std::collections::HashSet::new());
        for (network, since) in guesses {
            now += since;
            if world.guess("alice", &ipv4(network), now).is_ok() {
                allowed.push(now);
                networks.insert(network);
            }
        }
        prop_assert!(most_in_an_hour(allowed.into_iter()) <= CEILING + FREE as usize * networks.len());
    }
}
