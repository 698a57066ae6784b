//! Several files, profiles and the environment.

use crate::{BASE, Folder};
use dawnwatch::config::wiring::{ChatWiring, Secret};
use dawnwatch::core::plan::Id;
use std::path::Path;

#[test]
fn tables_of_conf_d_merge() {
    let folder = Folder::new(&[
        ("dawnwatch.toml", BASE),
        ("conf.d/20-more.toml", "[owners.search]\ncontact = \"search@example.com\""),
        ("conf.d/10-some.toml", "[owners.search]\nname = \"Search\"\n[owners.bi]\n"),
        ("conf.d/.10-some.toml.swp.toml", "not toml at all"),
        ("conf.d/notes.txt", "not toml at all"),
    ]);
    let plan = folder.load(None, &[]).unwrap().plan;
    let search = &plan.owners[&Id::from("search")];
    assert_eq!((search.name.as_str(), search.contact.as_deref()), ("Search", Some("search@example.com")));
    assert_eq!(plan.owners[&Id::from("bi")].name, "bi");
}

#[test]
fn the_same_key_twice_names_both_places() {
    let folder = Folder::new(&[
        ("dawnwatch.toml", BASE),
        ("conf.d/a.toml", "[owners.search]\nname = \"Search\"\n"),
        (
            "conf.d/b.toml",
            "[owners]\nsearch.name = \"Suche\"\n[sources.airflow]\npassword = { env = \"P\" }\n[dashboards.exec]\ntell = [\"terminal\"]",
        ),
    ]);
    let expected = "conf.d/b.toml:2:8: owners.search.name is set twice; it is already set at conf.d/a.toml:2:1\n\
                    conf.d/b.toml:4:14: sources.airflow.password.env is set twice; it is already set at dawnwatch.toml:9:14\n\
                    conf.d/b.toml:6:1: dashboards.exec.tell is set twice; it is already set at dawnwatch.toml:36:1\n";
    assert_eq!(folder.errors(None, &[]), expected);
}

#[test]
fn a_profile_lies_over_the_files_and_the_environment_over_all() {
    let profile = "timezone = \"Europe/Berlin\"\n[sources.airflow]\npassword = { file = \"airflow.key\" }\nevery = \"5m\"\n\
                   [dashboards.exec]\nneeds = [\"sales_mart\"]";
    let folder = Folder::new(&[("dawnwatch.toml", BASE), ("profiles/dev.toml", profile)]);
    let base = folder.load(None, &[]).unwrap();
    let dev = folder.load(Some("dev"), &[]).unwrap();
    assert_eq!((base.plan.timezone.name(), dev.plan.timezone.name()), ("Asia/Seoul", "Europe/Berlin"));
    assert_eq!(dev.plan.sources[&Id::from("airflow")].every.num_minutes(), 5);
    assert_eq!(dev.plan.dashboards[&Id::from("exec")].needs.len(), 1);
    assert_ne!(base.plan.fingerprint, dev.plan.fingerprint);
    // The one reference replaced the other, and its path starts from the file that names it.
    let login = format!("{:?}", dev.wiring.sources[&Id::from("airflow")].kind);
    assert!(login.contains("profiles/airflow.key") && !login.contains("AIRFLOW_PASSWORD"), "{login}");

    let environment = [
        ("DAWNWATCH__TIMEZONE", "UTC"),
        ("DAWNWATCH__DASHBOARDS__EXEC__WAKE", "true"),
        ("DAWNWATCH__DASHBOARDS__EXEC__READY_BY", r#"["0900", "12:00"]"#),
        ("DAWNWATCH__CHECKS__SALES_MART__OWNER", "0900"),
        ("DAWNWATCH_TOKEN", "is none of these"),
    ];
    assert_eq!(
        folder.errors(Some("dev"), &environment),
        "DAWNWATCH__DASHBOARDS__EXEC__READY_BY: ready_by: \"0900\" is not a clock time; expected for example \"09:00\"\n"
    );
    let environment = [environment[0], environment[1], environment[3]];
    let plan = folder.load(Some("dev"), &environment).unwrap().plan;
    assert_eq!(plan.timezone.name(), "UTC");
    assert!(plan.dashboards[&Id::from("exec")].wake);
    assert_eq!(plan.checks[&Id::from("sales_mart")].owner.as_deref(), Some("0900"));
}

#[test]
fn a_variable_reaches_names_with_dashes_and_capitals() {
    let more = "[chats.Search-Team]\nkind = \"webhook\"\nurl = { env = \"A\" }";
    let folder = Folder::new(&[("dawnwatch.toml", BASE), ("conf.d/a.toml", more)]);
    let loaded = folder.load(None, &[("DAWNWATCH__CHATS__SEARCH_TEAM__URL__FILE", "/run/secrets/hook")]).unwrap();
    match &loaded.wiring.chats[&Id::from("Search-Team")] {
        ChatWiring::Webhook { url: dawnwatch::config::wiring::Address::Secret(Secret::File(path)), .. } => {
            assert_eq!(path, Path::new("/run/secrets/hook"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_variables_are_named() {
    let folder = Folder::new(&[("dawnwatch.toml", BASE)]);
    let environment = [
        ("DAWNWATCH__WEB__LISTN", "off"),
        ("DAWNWATCH__TELL", "[\"terminal\""),
        ("DAWNWATCH____X", "1"),
        ("DAWNWATCH__LANGUAGE", "fr"),
    ];
    let expected = "DAWNWATCH__LANGUAGE: language: \"fr\" is not a language; expected one of en, ko\n\
                    DAWNWATCH__TELL: does not hold a value of TOML; expected text, a list such as [\"a\", \"b\"], true or false\n\
                    DAWNWATCH__WEB__LISTN: unknown key \"listn\" in [web]; did you mean \"listen\"?\n\
                    DAWNWATCH____X: is not the name of a key; expected parts joined by two underscores, as in DAWNWATCH__WEB__LISTEN\n";
    assert_eq!(folder.errors(None, &environment), expected);
}

#[test]
fn what_cannot_be_read_is_a_sentence() {
    let none = Path::new("/there/is/none");
    let refused = dawnwatch::config::load(none, None, &[]).unwrap_err();
    assert_eq!(refused.errors[0].to_string(), "/there/is/none: there is no such file or folder");

    let empty = Folder::new(&[("conf.d/a.toml", "")]);
    assert_eq!(empty.errors(None, &[]), ".: there is no dawnwatch.toml in this folder\n");

    let folder = Folder::new(&[("dawnwatch.toml", BASE), ("profiles/real.toml", ""), ("profiles/stg.toml", "")]);
    let expected = ".: there is no profile \"rael\" (profiles/rael.toml); did you mean \"real\"?\n";
    assert_eq!(folder.errors(Some("rael"), &[]), expected);
    assert!(folder.errors(Some("../dawnwatch"), &[]).contains("there is no profile"));

    let file = Folder::new(&[("one.toml", BASE)]);
    let path = file.0.path().join("one.toml");
    assert!(dawnwatch::config::load(&path, None, &[]).is_ok());
    let refused = dawnwatch::config::load(&path, Some("dev"), &[]).unwrap_err();
    assert!(refused.errors[0].text.contains("needs a folder"), "{refused:?}");

    let large = "# comment\n".repeat(200_000);
    assert_eq!(Folder::new(&[("dawnwatch.toml", &large)]).errors(None, &[]), "dawnwatch.toml: is larger than 1 MiB\n");
}

#[test]
fn the_empty_file_lacks_its_zone() {
    let expected =
        "dawnwatch.toml:1:1: timezone is missing; expected the zone of all clock times, such as timezone = \"Asia/Seoul\"\n";
    assert_eq!(Folder::new(&[("dawnwatch.toml", "")]).errors(None, &[]), expected);
}

#[test]
fn errors_stand_in_the_order_of_the_files() {
    let folder = Folder::new(&[
        ("dawnwatch.toml", "tell = [\"x\"]\n"),
        ("conf.d/a.toml", "wibble = 1\nlanguage = \"fr\"\n"),
        ("conf.d/b.toml", "[web]\nlisten = \"x\"\n"),
    ]);
    let errors = folder.errors(None, &[]);
    let places: Vec<&str> = errors.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(
        places,
        ["dawnwatch.toml:1:1", "dawnwatch.toml:1:9", "conf.d/a.toml:1:1", "conf.d/a.toml:2:12", "conf.d/b.toml:2:10"]
    );
}
