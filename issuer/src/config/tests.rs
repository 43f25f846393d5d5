use clap::{CommandFactory, Parser};

use super::*;
use crate::cli::Cli;

/// The settings of `doorlist serve` with these arguments, or the first line of the error.
fn serve(args: &[&str]) -> Result<Settings, String> {
    let line = ["doorlist", "serve"].iter().chain(args);
    match Cli::try_parse_from(line) {
        Ok(cli) => Ok(cli.settings().expect("the subcommand is serve").clone()),
        Err(refusal) => Err(refusal.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}

#[test]
fn the_defaults_match_the_documentation_and_do_not_contradict_each_other() {
    let settings = serve(&[]).expect("defaults");
    assert_eq!(settings.addresses.listen.to_string(), "127.0.0.1:8787");
    assert_eq!(settings.addresses.issuer, None);
    assert_eq!(settings.addresses.audience, "api");
    assert_eq!(settings.addresses.allowed_origins, []);
    assert_eq!(settings.store.store, StoreUrl::Embedded("./doorlist.redb".into()));
    let LifetimeSettings {
        access_ttl_secs,
        refresh_idle_secs,
        refresh_absolute_secs,
        refresh_grace_secs,
        leeway_secs,
        heartbeat_secs,
    } = settings.lifetimes;
    assert_eq!(
        [
            access_ttl_secs,
            refresh_idle_secs,
            refresh_absolute_secs,
            refresh_grace_secs,
            leeway_secs,
            heartbeat_secs
        ],
        [900, 2_592_000, 7_776_000, 30, 60, 10]
    );
    assert_eq!((settings.store.wait_secs, settings.stop.drain_secs), (300, 0));
    assert_eq!(settings.lifetimes.check(), Ok(()));
    assert_eq!(settings.lifetimes.limits(), Limits::default());
}

#[test]
fn impossible_values_are_refused_with_a_reason() {
    for (args, reason) in [
        (["--access-ttl-secs", "0"], "a whole number of seconds from 1 to 86400"),
        (["--access-ttl-secs", "15m"], "without a unit"),
        (["--leeway-secs", "86400"], "from 0 to 300"),
        (["--heartbeat-secs", "31"], "from 1 to 30"),
        (["--listen", "8787"], "such as 127.0.0.1:8787"),
        (["--listen", "localhost:8787"], "an IP address and a port"),
        (["--issuer", "https://issuer.example/"], "remove the trailing slash: https://issuer.example"),
        (["--issuer", "https://issuer.example?x=1"], "remove the query"),
        (["--issuer", "https://issuer.example#x"], "remove the query or fragment"),
        (["--issuer", "ftp://issuer.example"], "begins with https:// or http://"),
        (["--issuer", "issuer.example"], "begins with https:// or http://"),
        (["--issuer", "https://me@issuer.example"], "no user or password"),
        (["--issuer", "not a url"], "write it as https://host"),
        (["--audience", ""], "1 to 255 bytes"),
        (["--audience", "api "], "remove the white space"),
        (["--allowed-origins", "https://app.example/path"], "without user or path"),
        (["--allowed-origins", "*"], "an origin is"),
        (["--allowed-origins", "https://app.example:443"], "leave out :443"),
        (["--allowed-origins", "http://app.example"], "http:// is for localhost only"),
        (["--store", "redis://localhost:port"], "write redis://host:port"),
        (["--store", "redis+sentinel://localhost"], "the master's name"),
        (["--store", "valkey://localhost"], "for Valkey too"),
        (["--store-prefix", "a:b"], "1 to 64 letters"),
        (["--store", "doorlist.redb"], "embedded:<file>"),
        (["--log", "doorlist=loud"], "use error, warn"),
        (["--log", "inf"], "use error, warn"),
    ] {
        let refusal = serve(&args).expect_err(args[1]);
        assert!(refusal.contains(reason), "{args:?}: {refusal}");
        assert!(refusal.contains(args[0]), "{args:?}: {refusal}");
    }
}

#[test]
fn a_store_file_name_with_control_characters_is_refused() {
    assert!("embedded:./doorlist.redb".parse::<StoreUrl>().is_ok());
    assert!("embedded:./doorlist.redb\n".parse::<StoreUrl>().is_err());
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let check = |args: &[&str]| serve(args).expect("values").check();
    assert_eq!(
        check(&["--refresh-grace-secs", "60", "--refresh-idle-secs", "60"]),
        Err(Contradiction::GraceOutlivesIdle { grace: 60, idle: 60 })
    );
    assert_eq!(
        check(&["--refresh-absolute-secs", "3600"]),
        Err(Contradiction::IdleOutlivesSession { idle: 2_592_000, absolute: 3600 })
    );
    assert_eq!(
        check(&["--listen", "0.0.0.0:8787"]),
        Err(Contradiction::NamelessIssuer { listen: "0.0.0.0:8787".parse().expect("an address") })
    );
    assert_eq!(check(&["--listen", "[::]:8787", "--issuer", "https://issuer.example"]), Ok(()));
    assert_eq!(check(&["--store-prefix", "staging"]), Err(Contradiction::PrefixOfFile));
    assert_eq!(check(&["--store", "redis://host", "--store-prefix", "staging"]), Ok(()));
    let plain = check(&["--store", "redis://host", "--store-ca-file", "ca.pem"]);
    assert_eq!(plain, Err(Contradiction::CertificatesUnused));
    assert_eq!(check(&["--store", "rediss://host", "--store-ca-file", "ca.pem"]), Ok(()));
    let with_file = |store: &str| check(&["--store", store, "--store-password-file", "password"]);
    assert_eq!(check(&["--store", "redis://secret@host"]), Err(Contradiction::NoPassword));
    assert!(!Contradiction::NoPassword.to_string().contains("secret"));
    assert_eq!(with_file("redis://alice:wonderland@host"), Err(Contradiction::TwoPasswords));
    assert_eq!(with_file("embedded:./doorlist.redb"), Err(Contradiction::PasswordOfFile));
    assert_eq!(with_file("redis://alice@host"), Ok(()));
    assert_eq!(with_file("redis+sentinel://host/master"), Ok(()));
    let settings =
        check(&["--refresh-absolute-secs", "600", "--refresh-idle-secs", "600", "--access-ttl-secs", "900"]);
    assert_eq!(settings, Err(Contradiction::TokenOutlivesSession { ttl: 900, absolute: 600 }));
}

/// The content of `tests/vectors/spelling/issuers.json`, which the tests of the npm package read too.
#[derive(serde::Deserialize)]
struct Spellings {
    accepted: Vec<String>,
    respelt: Vec<(String, String)>,
    refused: Vec<String>,
}

#[test]
fn b10_only_one_spelling_of_an_issuer_is_accepted() {
    let spellings: Spellings =
        serde_json::from_str(include_str!("../../../tests/vectors/spelling/issuers.json")).expect("vectors");
    for (written, canonical) in &spellings.respelt {
        let refused = written.parse::<IssuerUrl>().expect_err(written).to_string();
        assert!(refused.ends_with(&format!(" {canonical}")), "{written}: {refused}");
    }
    let canonical = spellings.respelt.iter().map(|(_, canonical)| canonical);
    for accepted in spellings.accepted.iter().chain(canonical) {
        assert_eq!(accepted.parse::<IssuerUrl>().expect(accepted).as_str(), accepted);
    }
    for written in &spellings.refused {
        let refused = written.parse::<IssuerUrl>().expect_err(written).to_string();
        assert!(!refused.contains("hunter2"), "{refused}");
    }
    for nowhere in ["http://0.0.0.0:8787", "http://[::]:8787", "http://localhost:0"] {
        assert!(nowhere.parse::<IssuerUrl>().is_err(), "{nowhere}");
    }
    for login in
        ["https://u:hunter2@id.example.com", "https:u:hunter2@id.example.com", "https://@id.example.com"]
    {
        let refused = login.parse::<IssuerUrl>().expect_err(login).to_string();
        assert!(refused.contains("no user or password") && !refused.contains("hunter2"), "{refused}");
    }
    let named = |address: &str| IssuerUrl::of_address(address.parse().expect("an address"));
    assert_eq!(named("127.0.0.1:80").expect("a name").as_str(), "http://127.0.0.1", "as clients write it");
    assert_eq!(named("[::1]:8787").expect("a name").as_str(), "http://[::1]:8787");
    assert_eq!(named("[fe80::1%3]:8787"), None, "no URL has a zone");
}

#[test]
fn an_issuer_url_has_a_path_and_is_exposed_only_if_unencrypted_and_not_local() {
    let issuer = |text: &str| text.parse::<IssuerUrl>().expect("an issuer");
    assert_eq!(issuer("https://issuer.example").path(), "");
    assert_eq!(issuer("https://issuer.example/tenants/a").path(), "/tenants/a");
    for exposed in
        ["http://issuer.example", "http://127.0.0.1.example", "http://localhost.example", "http://192.0.2.1"]
    {
        assert!(issuer(exposed).is_exposed(), "{exposed}");
    }
    for local in
        ["https://issuer.example", "http://127.0.0.1:8787", "http://[::1]:8787", "http://localhost/x"]
    {
        assert!(!issuer(local).is_exposed(), "{local}");
    }
}

#[test]
fn an_origin_must_be_spelt_as_browsers_spell_it() {
    for fit in [
        "https://app.example",
        "https://app.example:8443",
        "https://xn--caf-dma.example",
        "https://[2001:db8::1]",
        "http://localhost",
        "http://localhost:5173",
        "http://app.localhost:5173",
        "http://127.0.0.1:5173",
        "http://[::1]:5173",
    ] {
        assert_eq!(fit.parse::<Origin>().expect(fit).header(), fit);
    }
    for unfit in [
        "",
        "*",
        "null",
        "https://",
        "https://*",
        "https://*.example",
        "https://App.example",
        "HTTPS://app.example",
        "https://app.example/",
        "https://app.example?x",
        "https://me@app.example",
        "https://app.example:",
        "https://app.example:0443",
        "https://app.example:65536",
        "https://:443",
        "https://café.example",
        "http://app.example",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://localhost:80",
        "ftp://localhost",
        "app.example",
    ] {
        assert!(unfit.parse::<Origin>().is_err(), "{unfit}");
    }
    let refused = "https://App.example:443/".parse::<Origin>().unwrap_err().to_string();
    assert!(refused.contains("as https://app.example:"), "B10: it names the spelling: {refused}");
}

#[test]
fn several_allowed_origins_are_separated_by_commas() {
    let settings = serve(&["--allowed-origins", "https://app.example,http://localhost:5173"]).expect("two");
    let origins: Vec<_> = settings.addresses.allowed_origins.iter().map(Origin::header).collect();
    assert_eq!(origins, ["https://app.example", "http://localhost:5173"]);
}

#[test]
fn every_setting_has_a_flag_and_a_variable_and_its_help_names_the_variable() {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").expect("serve");
    for arg in serve.get_arguments().filter(|arg| arg.get_long() != Some("help")) {
        let (flag, env) = (arg.get_long().expect("a flag"), arg.get_env().expect("a variable"));
        let env = env.to_str().expect("ASCII");
        assert_eq!(env, format!("DOORLIST_{}", flag.replace('-', "_").to_uppercase()));
        let help = arg.get_help().expect("help").to_string();
        assert!(help.contains(env), "{flag}: {help}");
        for default in arg.get_default_values().iter().map(|default| default.to_string_lossy()) {
            assert!(help.contains(default.as_ref()), "{flag}: {help} does not say {default}");
        }
    }
}

#[test]
fn a_secret_is_given_once_or_created_beside_a_new_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = StoreUrl::Embedded(folder.path().join("doorlist.redb"));
    let secret = "a-secret-that-is-long-enough";
    let load_of = |age, args: &[&str]| {
        let given = serve(args).expect("values").secrets.given();
        given.and_then(|given| given.or_beside(&store, age)).map_err(|error| error.to_string())
    };
    let load = |args: &[&str]| load_of(StoreAge::New, args);

    let lost = load_of(StoreAge::Used, &[]).unwrap_err();
    assert!(lost.contains("put the file back"), "{lost}");
    assert!(!folder.path().join("doorlist.redb.master-secret").exists(), "no other one is made in its place");

    load(&[]).expect("made beside the store");
    assert!(folder.path().join("doorlist.redb.master-secret").exists());
    assert!(folder.path().join("doorlist.redb.admin-key").exists());
    load_of(StoreAge::Used, &[]).expect("read");
    load(&["--master-secret", secret, "--admin-key", secret]).expect("given");

    let both = load(&["--admin-key", secret, "--admin-key-file", "key"]).unwrap_err();
    assert_eq!(both, "both DOORLIST_ADMIN_KEY and DOORLIST_ADMIN_KEY_FILE are set: unset one of them");
    let missing = load(&["--master-secret-file", "/nowhere/secret"]).unwrap_err();
    assert!(missing.starts_with("cannot read the secret file /nowhere/secret: "), "{missing}");
    let weak = load(&["--admin-key", "tiny"]).unwrap_err();
    assert!(weak.starts_with("DOORLIST_ADMIN_KEY holds a secret of 4 characters; use at least 22"), "{weak}");
}

#[test]
fn with_a_store_on_the_network_the_secrets_must_be_given() {
    let store: StoreUrl = "redis://host".parse().expect("an address");
    let secret = "a-secret-that-is-long-enough";
    let load = |args: &[&str]| {
        let given = serve(args).expect("values").secrets.given();
        given.and_then(|given| given.or_beside(&store, StoreAge::New)).map_err(|error| error.to_string())
    };
    let missing = load(&["--admin-key", secret]).unwrap_err();
    assert!(missing.starts_with("set DOORLIST_MASTER_SECRET or DOORLIST_MASTER_SECRET_FILE: "), "{missing}");
    assert!(load(&["--master-secret", secret]).unwrap_err().starts_with("set DOORLIST_ADMIN_KEY or "));
    load(&["--master-secret", secret, "--admin-key", secret]).expect("given");
}

#[test]
fn b15_a_secret_in_a_flag_is_detected() {
    let found = |args: &[&str]| -> Vec<_> {
        flags_with_secrets(args.iter().map(Into::into)).into_iter().map(|(flag, _)| flag).collect()
    };
    assert_eq!(
        found(&["serve", "--admin-key", "x", "--master-secret=y"]),
        ["--admin-key", "--master-secret"]
    );
    assert_eq!(found(&["serve", "--store", "redis://:hunter2@host"]), ["--store"]);
    assert_eq!(found(&["serve", "--store=rediss://alice:hunter2@host/1"]), ["--store"]);
    let harmless = ["serve", "--admin-key-file", "x", "--store", "redis://host:6379", "--log", "info"];
    assert!(found(&harmless).is_empty());
}

#[test]
fn the_debug_text_of_settings_shows_no_secret() {
    let secret = "a-secret-that-is-long-enough";
    let store = format!("redis://alice:{secret}@host");
    let args = ["--master-secret", secret, "--admin-key", secret, "--store", &store];
    assert!(!format!("{:?}", serve(&args).expect("values")).contains(secret));
}
