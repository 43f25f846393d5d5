//! Trace 18: a foreign page makes the browser send a request with the user's cookie. The request changes nothing.

use crate::support::{Browser, Issuer, Page, STRANGER};

/// Pages that must not use the cookie, even if `https://app.example` is a listed origin.
const PAGES: [Page<'static>; 5] = [
    STRANGER,
    Page::Other { origin: "https://evil.app.example", site: "same-site" },
    Page::Other { origin: "null", site: "cross-site" },
    Page::Other { origin: "https://app.example", site: "cross-site" },
    Page::Unknown,
];

async fn listing() -> Issuer {
    Issuer::start_with(&[("ALLOWED_ORIGINS", "https://app.example")]).await
}

/// Asserts that Alice's session and cookie still work.
async fn nothing_happened(issuer: &Issuer, browser: &Browser) {
    assert_eq!(issuer.session_count("alice").await, 1);
    let before = browser.cookie();
    assert!(browser.refresh(issuer, Page::Own).await.ok()["access_token"].is_string());
    assert_ne!(browser.cookie(), before);
}

#[tokio::test]
async fn trace_18_a_cross_site_refresh_is_refused() {
    let issuer = listing().await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    let held = browser.cookie();
    for page in PAGES {
        let refused = browser.refresh(&issuer, page).await;
        refused.refused(403, "cross_site_request");
        assert_eq!(browser.cookie(), held, "{page:?}");
    }
    nothing_happened(&issuer, &browser).await;
}

#[tokio::test]
async fn trace_18_a_cross_site_logout_is_refused() {
    let issuer = listing().await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    let held = browser.cookie();
    for page in PAGES {
        browser.post(&issuer, page, "/logout").await.refused(403, "cross_site_request");
        browser.form(&issuer, page, "/revoke", &[]).await.refused(403, "cross_site_request");
        assert_eq!(browser.cookie(), held, "{page:?}");
    }
    nothing_happened(&issuer, &browser).await;
}

/// If the issuer accepted this login, Alice would use Mallory's session without noticing. Mallory could then see all
/// her actions.
#[tokio::test]
async fn trace_18_a_login_into_the_attackers_session_is_refused() {
    let issuer = listing().await;
    issuer.add_account("mallory", "of-mallory").await;
    let mallory = issuer.open_session("mallory").await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    let (held, nobody) = (browser.cookie(), Browser::default());
    for page in PAGES {
        for browser in [&browser, &nobody] {
            let refused = browser.login(&issuer, page, "mallory", "of-mallory").await;
            refused.refused(403, "cross_site_request");
        }
        // The form contains Mallory's refresh token, so the answer contains tokens. Mallory's page cannot read this
        // answer. The answer never sets a cookie.
        let form = [("grant_type", "refresh_token"), ("refresh_token", &*mallory.refresh)];
        assert_eq!(nobody.form(&issuer, page, "/token", &form).await.cookie(), None);
        assert_eq!((browser.cookie(), nobody.cookie()), (held.clone(), None), "{page:?}");
    }
    nothing_happened(&issuer, &browser).await;
    assert_eq!(issuer.session_count("mallory").await, 1, "Mallory has only his own session");
}
