//! TLS with certificates that the test makes.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use redis_servers::RedisServer;

use super::*;

/// A server that speaks only TLS, and the certificate of its authority.
struct Encrypted {
    server: RedisServer,
    ca: String,
    _files: tempfile::TempDir,
}

fn encrypted() -> Encrypted {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
    let key = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = names.signed_by(&key, &ca).expect("a certificate");

    let files = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let (key, certificate) =
        (write("key.pem", &key.serialize_pem()), write("certificate.pem", &certificate.pem()));
    let authority = write("ca.pem", &ca.pem());
    let options = [
        "--tls-key-file",
        &key,
        "--tls-cert-file",
        &certificate,
        "--tls-ca-cert-file",
        &authority,
        "--tls-auth-clients",
        "no",
        "--requirepass",
        "wonderland",
    ];
    let server = RedisServer::start_on_two_ports("--tls-port", &options);
    Encrypted { server, ca: ca.pem(), _files: files }
}

#[tokio::test]
async fn a_certificate_is_checked() {
    let there = encrypted();
    let files = tempfile::tempdir().expect("a folder");
    let open = async |url: String, ca: Option<&str>| {
        let url = RedisUrl::parse(&url).expect("the scheme belongs to Redis").expect("an address");
        let certificates = ca.map(|ca| {
            let file = files.path().join("ca.pem");
            std::fs::write(&file, ca).expect("a file");
            file
        });
        RedisStore::open(url, Prefix::default(), LoginFiles { password: None, certificates }).await
    };
    let url = |host: &str| format!("rediss://:wonderland@{host}:{}", there.server.second_port());
    let store = open(url("localhost"), Some(&there.ca)).await.expect("a store");
    store.commit(put("alice", None, 1)).await.expect("a commit");
    store.commit(marks(1)).await.expect("a commit");
    store.wait_for_news(Seq::ZERO).await.expect("news");

    for (url, ca, reason) in [
        (url("localhost"), None, "certificate"),
        (url("localhost"), Some(encrypted().ca.as_str()), "certificate"),
        (url("127.0.0.1"), Some(there.ca.as_str()), "certificate"),
        (url("localhost"), Some("none"), "holds no PEM certificate"),
    ] {
        let said = misconfigured(open(url.clone(), ca).await.map(drop));
        assert!(said.contains(reason), "{url}: {said}");
        assert!(!said.contains("wonderland"), "{said}");
    }
    // The first URL uses TLS on a port without TLS. The second URL uses a plain connection to a port with TLS. In both
    // cases the server either gives no answer or closes the connection. A server that is not ready yet behaves in the
    // same way, so the start waits.
    for url in [
        format!("rediss://:wonderland@localhost:{}", there.server.port()),
        format!("redis://:wonderland@localhost:{}", there.server.second_port()),
    ] {
        let said = unavailable(open(url, None).await.map(drop));
        assert!(!said.contains("wonderland"), "{said}");
    }
}

#[tokio::test]
async fn a_new_authority_is_trusted_without_a_restart() {
    let there = encrypted();
    let files = tempfile::tempdir().expect("a folder");
    let file = files.path().join("ca.pem");
    let trust = |ca: &str| std::fs::write(&file, ca).expect("a file");
    let url = format!("rediss://:wonderland@localhost:{}", there.server.second_port());
    let url = RedisUrl::parse(&url).expect("the scheme belongs to Redis").expect("an address");
    let login = LoginFiles { password: None, certificates: Some(file.clone()) };
    trust(&there.ca);
    let store = RedisStore::open(url, Prefix::default(), login).await.expect("a store");

    trust(&encrypted().ca);
    login::hang_up(&there.server, "wonderland");
    eventually("the certificate is refused", async || match store.commit(marks(1)).await {
        Err(error) if error.to_string().contains("certificate") => Ok(()),
        other => Err(StoreError::Unavailable(format!("{other:?}"))),
    })
    .await;
    trust(&there.ca);
    eventually("the certificate is trusted", async || store.commit(marks(1)).await).await;
}
