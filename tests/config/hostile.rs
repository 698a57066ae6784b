//! Files and variables as editors, copies and crashes leave them: what is read all the same, and what is refused in which words.

use crate::{BASE, Folder};
use dawnwatch::config::wiring::{Address, ChatWiring, Secret};
use dawnwatch::core::plan::Id;
use secrecy::ExposeSecret;
use std::fs;

fn with(case: &[u8]) -> Folder {
    let folder = Folder::new(&[("dawnwatch.toml", BASE), ("conf.d/case.toml", "")]);
    fs::write(folder.0.path().join("conf.d/case.toml"), case).unwrap();
    folder
}

fn refused(case: &[u8]) -> String {
    with(case).errors(None, &[]).replace("conf.d/case.toml:", "")
}

#[test]
fn a_byte_order_mark_and_foreign_line_ends_are_read() {
    for case in ["\u{feff}language = \"ko\"\r\nretention = \"30d\"\r\n", "language = \"ko\"\r\n\r\nretention = \"30d\""] {
        let plan = with(case.as_bytes()).load(None, &[]).unwrap().plan;
        assert_eq!(plan.retention.num_days(), 30, "{case:?}");
    }
}

#[test]
fn places_are_right_behind_a_byte_order_mark_and_foreign_line_ends() {
    let crlf = "# \u{c548}\u{b155}\r\n[owners.\"\u{ac80}\u{c0c9}\"]\r\nname = 1\r\ncontct = \"x\"\r\n";
    let expected = "3:8: owners.\u{ac80}\u{c0c9}.name is a number; expected text in quotes\n\
                    4:1: unknown key \"contct\" in [owners.\u{ac80}\u{c0c9}]; did you mean \"contact\"?\n";
    assert_eq!(refused(crlf.as_bytes()), expected);
    assert_eq!(refused(format!("\u{feff}{crlf}").as_bytes()), expected);
    assert_eq!(
        refused("\u{feff}languge = \"en\"".as_bytes()),
        "1:1: unknown key \"languge\" at the top; did you mean \"language\"?\n"
    );
}

#[test]
fn what_is_no_text_is_refused_at_once() {
    let cases: [(&[u8], &str); 5] = [
        (b"name = \"\xff\xfe\"", " is not UTF-8 text\n"),
        (b"l\0a\0n\0g\0u\0", "1:2: not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`\n"),
        (b"\x1f\x8b\x08\x00 not a gzip of a configuration", " is not UTF-8 text\n"),
        (b"SQLite format 3\0", "1:8: not TOML: key with no value, expected `=`\n"),
        (b"[owners.search]\nname = \"Sear", "2:13: not TOML: invalid basic string, expected `\"`\n"),
    ];
    for (case, expected) in cases {
        let found = refused(case);
        assert!(found.starts_with(expected), "{expected:?} of {found:?}");
    }
}

#[test]
fn a_file_that_breaks_off_is_refused_wherever_it_does() {
    let whole = "[chats.backup]\nkind = \"webhook\"\nurl = { env = \"HOOK\" }\n[digests.morning]\nat = \"06:30\"\nto = [\"terminal\", \"backup\"]\n";
    assert!(with(whole.as_bytes()).load(None, &[]).is_ok());
    // Up to the line end of its last key: from there on only the end is missing.
    for end in 1..whole.len() - 1 {
        let folder = with(&whole.as_bytes()[..end]);
        match folder.load(None, &[]) {
            Err(refused) => assert!(refused.errors.iter().all(|error| !error.text.is_empty()), "{end}"),
            // What was cut off whole was never there: then it is the lints' to say that nothing is sent to the chat.
            Ok(loaded) => {
                assert!(whole[..end].ends_with('}') || whole[..end].ends_with("}\n"), "{:?} {:?}", &whole[..end], loaded.warnings)
            }
        }
    }
}

#[test]
fn too_much_is_refused() {
    let large = format!("{BASE}# {}", "x".repeat(1 << 20));
    assert_eq!(Folder::new(&[("dawnwatch.toml", &large)]).errors(None, &[]), "dawnwatch.toml: is larger than 1 MiB\n");
    let many: Vec<(String, String)> = (0..300).map(|n| (format!("conf.d/{n:03}.toml"), String::new())).collect();
    let mut files: Vec<(&str, &str)> = many.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("dawnwatch.toml", BASE));
    assert_eq!(Folder::new(&files).errors(None, &[]), ".: conf.d holds more than 256 files\n");
    let slips: String = (0..500).map(|n| format!("key_{n} = 1\n")).collect();
    let report = refused(slips.as_bytes());
    assert!(
        report.lines().count() <= 202 && report.contains("more than 200 keys are wrong; the rest is not looked at"),
        "{report}"
    );
    let deep = format!("x = {}1{}", "[".repeat(200), "]".repeat(200));
    assert!(refused(deep.as_bytes()).contains("not TOML: "), "{}", refused(deep.as_bytes()));
}

#[test]
fn a_profile_is_refused_at_its_own_places() {
    let folder = Folder::new(&[
        ("dawnwatch.toml", BASE),
        ("profiles/dev.toml", "[dashboards.exec]\nready_by = \"soon\"\n[sources.airflw]\nurl = \"http://127.0.0.1:1\"\n"),
        ("profiles/stg.toml", "[dashboards.exec\n"),
    ]);
    assert_eq!(
        folder.errors(Some("dev"), &[]),
        "profiles/dev.toml:2:12: ready_by: \"soon\" is not a clock time; expected for example \"09:00\", or \"-1d 18:00\" for the evening \
         before\nprofiles/dev.toml:3:10: kind is missing in [sources.airflw]; expected kind = \"airflow\", \"luigi\", \"http\", \"sql\" or \"file\"\n"
    );
    assert_eq!(folder.errors(Some("stg"), &[]), "profiles/stg.toml:1:17: not TOML: unclosed table, expected `]`\n");
    assert_eq!(folder.errors(Some(""), &[]), ".: there is no profile \"\" (profiles/.toml); expected one of dev, stg\n");
    // Nothing of a profile counts where it is not named.
    assert!(folder.load(None, &[]).is_ok());
}

#[test]
fn a_variable_makes_tables_lists_and_references() {
    let folder = Folder::new(&[("dawnwatch.toml", BASE)]);
    let environment = [
        ("DAWNWATCH__CHATS__TEAM", "{ kind = 'slack', url = { env = 'HOOK' } }"),
        ("DAWNWATCH__CHATS__TEAM__FALLBACK", "terminal"),
        ("DAWNWATCH__DASHBOARDS__EXEC__TELL", r#"["team"]"#),
        ("DAWNWATCH__OWNERS__SEARCH__NAME", "Search"),
        ("DAWNWATCH__RETENTION", "30d"),
        ("DAWNWATCH__HEARTBEAT__URL", "http://127.0.0.1:1/beat"),
        ("DAWNWATCH__SOURCES__AIRFLOW__PASSWORD", "{ value = 'loopback only' }"),
        ("DAWNWATCH__SOURCES__JOBS__HEADERS__X_API_KEY__FILE", "/run/secrets/jobs"),
    ];
    let loaded = folder.load(None, &environment).unwrap();
    assert_eq!(loaded.plan.chats[&Id::from("team")].fallback, Some(Id::from("terminal")));
    assert_eq!(loaded.plan.dashboards[&Id::from("exec")].tell, [Id::from("team")]);
    assert_eq!((loaded.plan.owners[&Id::from("search")].name.as_str(), loaded.plan.retention.num_days()), ("Search", 30));
    assert!(matches!(&loaded.wiring.heartbeat, Some(Address::Plain(url)) if url.path() == "/beat"));
    let hook = &loaded.wiring.chats[&Id::from("team")];
    assert!(matches!(hook, ChatWiring::Slack { url: Address::Secret(Secret::Env(name)), .. } if name == "HOOK"), "{hook:?}");
    let wiring = format!("{:?}", loaded.wiring);
    assert!(wiring.contains("x_api_key") && !wiring.contains("loopback only"), "{wiring}");
}

#[test]
fn a_variable_that_is_wrong_is_named_and_not_repeated() {
    let folder = Folder::new(&[("dawnwatch.toml", BASE)]);
    let environment = [
        ("DAWNWATCH__DASHBOARDS__EXEC__NEEDS", "sales_mart"),
        ("DAWNWATCH__DASHBOARDS__EXEC__READY_BY", "[900]"),
        ("DAWNWATCH__DASHBOARDS__EXEC__TELL", "[\"terminal\", \"hush\""),
        ("DAWNWATCH__DASHBOARDS__EXEC__WAKE", "yes"),
        ("DAWNWATCH__DASHBORDS__EXEC__NAME", "x"),
        ("DAWNWATCH__HEARTBEAT__EVERY", "1s"),
        ("DAWNWATCH__SOURCES__AIRFLOW__PASSWORD", "hush"),
        ("DAWNWATCH__SOURCES__TABLES__HEADERS", "{ token = { value = 'hush' } }"),
        ("DAWNWATCH__WEB", "off"),
    ];
    let expected = "\
DAWNWATCH__DASHBOARDS__EXEC__NEEDS: dashboards.exec.needs is text; expected a list such as [\"a\", \"b\"]
DAWNWATCH__DASHBOARDS__EXEC__READY_BY: dashboards.exec.ready_by.0 is a number; expected text in quotes
DAWNWATCH__DASHBOARDS__EXEC__TELL: does not hold a value of TOML; expected text, a list such as [\"a\", \"b\"], true or false
DAWNWATCH__DASHBOARDS__EXEC__WAKE: dashboards.exec.wake is text; expected true or false
DAWNWATCH__DASHBORDS__EXEC__NAME: unknown key \"dashbords\" at the top; did you mean \"dashboards\"?
DAWNWATCH__HEARTBEAT__EVERY: every is not between 30 seconds and a day; expected how often the proof of life goes out, such as \"5m\"
DAWNWATCH__HEARTBEAT__EVERY: url is missing in [heartbeat]; expected url = { env = \"HEARTBEAT_URL\" }
DAWNWATCH__SOURCES__AIRFLOW__PASSWORD: sources.airflow.password is text; expected a secret by reference, { env = \"NAME\" } or \
{ file = \"PATH\" }, never the secret itself
DAWNWATCH__SOURCES__TABLES__HEADERS: token holds the secret itself, which is taken only where every URL of the table is loopback; \
expected { env = \"NAME\" } or { file = \"PATH\" }
DAWNWATCH__WEB: web is text; expected a table
";
    assert_eq!(folder.errors(None, &environment), expected);
    assert!(!folder.errors(None, &environment).contains("hush"));
}

#[test]
fn a_secret_in_a_list_is_not_taken_for_a_variables_name() {
    for case in ["[web]\ntoken = [\"hush\"]", "[chats.x]\nkind = \"webhook\"\nurl = { env = \"U\" }\nsecret = [\"hush\"]"] {
        let report = refused(case.as_bytes());
        assert!(report.contains("is a list; expected a table") && !report.contains("hush"), "{report}");
    }
    // One that a variable gives is no other.
    let folder = Folder::new(&[("dawnwatch.toml", BASE)]);
    let report = folder.errors(None, &[("DAWNWATCH__WEB__TOKEN", "[\"hush\"]")]);
    assert_eq!(report, "DAWNWATCH__WEB__TOKEN: web.token is a list; expected a table\n");
    let token = folder.load(None, &[("DAWNWATCH__WEB__TOKEN", "{ value = \"0900\" }")]).unwrap().wiring.web.unwrap().token;
    assert_eq!(token.unwrap().resolve().unwrap().expose_secret(), "0900");
}
