//! The demo's own configuration is one that a person could have: it loads without a word, for both nights, in both languages.

use dawnwatch::agent::clock::Clock;
use dawnwatch::config;
use dawnwatch::core::plan::{Id, Language};
use dawnwatch::demo::night::Night;
use dawnwatch::demo::set_up;

#[tokio::test]
async fn it_loads_without_errors_and_warnings() {
    for night in [Night::Weekday, Night::Weekend] {
        for language in [Language::En, Language::Ko] {
            let stage = set_up(night, Clock::played(night.starts_at(), 1.0), language).await.unwrap();
            let loaded = config::load(stage.config(), None, &[]).unwrap_or_else(|refused| panic!("{refused:#?}"));
            assert_eq!(loaded.warnings, [], "{night:?} {language:?}");
            assert_eq!(loaded.plan.chats[&Id::from("team")].language, language);
            assert_eq!((loaded.plan.dashboards.len(), loaded.plan.sources.len()), (2, 2));
            stage.stop().await;
        }
    }
}
