//! The house rules that neither the compiler nor clippy knows. Each message says what to do.

use std::fs;
use std::path::{Path, PathBuf};

/// A person holds about 300 lines in mind.
const LINES: usize = 400;
/// Files that may be longer, with the reason.
const LONGER: [(&str, &str); 2] = [
    ("src/core/wording/en.rs", "one catalogue a language, phrase by phrase beside the other"),
    ("src/core/wording/ko.rs", "one catalogue a language, phrase by phrase beside the other"),
];

/// What `core` may import: the pure crates of the design, and of `std` all but what has an effect or an order of its own.
const CRATES: [&str; 4] = ["chrono", "chrono_tz", "croner", "serde"];
const STD: [&str; 18] = [
    "array",
    "borrow",
    "cell",
    "cmp",
    "collections",
    "convert",
    "error",
    "f64",
    "fmt",
    "hash",
    "iter",
    "mem",
    "num",
    "ops",
    "rc",
    "str",
    "string",
    "sync",
];
/// Words that have no place in `core`, whatever they are imported from.
const IMPURE: [(&str, &str); 11] = [
    ("HashMap", "its order differs from run to run; take a BTreeMap"),
    ("HashSet", "its order differs from run to run; take a BTreeSet"),
    ("SystemTime", "time is passed in as an Instant of core::time"),
    ("async", "core decides; the shell waits"),
    ("tokio", "core decides; the shell waits"),
    ("reqwest", "core decides; sources and sinks speak"),
    ("tracing", "return a reason; the shell logs it"),
    ("println!", "return a value; the shell prints it"),
    ("eprintln!", "return a value; the shell prints it"),
    ("print!", "return a value; the shell prints it"),
    ("Utc::now", "time is passed in as an Instant of core::time"),
];

struct Source {
    /// As seen from the crate's root, with `/`.
    name: String,
    text: String,
    /// Line by line without comments and the insides of text, so that rules see code alone.
    code: Vec<String>,
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                let text = fs::read_to_string(&path).unwrap();
                let code = code(&text);
                found.push(Source { name, text, code });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "no sources under {folder}: does this test look at the right place?");
    found
}

/// The code of a file: comments and the insides of text and character literals are left out.
fn code(text: &str) -> Vec<String> {
    let mut code = String::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let raw = raw_text(rest).filter(|_| at == 0 || !is_word(chars[at - 1]));
        let length = match rest {
            ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => rest.windows(2).position(|w| w == ['*', '/']).map_or(rest.len(), |n| n + 2),
            ['"', ..] => quoted(rest),
            ['\'', '\\', ..] => 2 + rest[2..].iter().skip(1).position(|&c| c == '\'').map_or(rest.len() - 2, |n| n + 2),
            ['\'', _, '\'', ..] => 3,
            _ => raw.unwrap_or(0),
        };
        if length == 0 {
            code.push(rest[0]);
            at += 1;
        } else {
            code.extend(rest[..length].iter().filter(|&&c| c == '\n'));
            at += length;
        }
    }
    code.split('\n').map(str::to_owned).collect()
}

/// The length of the quoted text at the beginning.
fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of the raw text (`r#"…"#`) at the beginning, if there is one.
fn raw_text(rest: &[char]) -> Option<usize> {
    let after = rest.strip_prefix(&['r'])?;
    let hashes = after.iter().take_while(|&&c| c == '#').count();
    if after.get(hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = 1 + hashes + 1;
    Some(rest[body..].windows(end.len()).position(|w| w == end).map_or(rest.len(), |n| body + n + end.len()))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Is `word` in the line, not as a part of a longer one?
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !(before.is_some_and(is_word) || after.is_some_and(is_word) && word.ends_with(is_word))
    })
}

/// The first two segments of every path of a line: `std::fs::read` gives `("std", "fs")`, and `parse::<u8>` nothing.
fn paths(line: &str) -> Vec<(&str, &str)> {
    let heads = line.match_indices("::").map(|(at, _)| {
        let head = line[..at].rfind(|c| !is_word(c)).map_or(0, |n| n + line[n..].chars().next().map_or(1, char::len_utf8));
        let tail = &line[at + 2..];
        let tail = &tail[..tail.find(|c| !is_word(c)).unwrap_or(tail.len())];
        (head, &line[head..at], tail)
    });
    let roots = heads.filter(|&(head, name, _)| {
        let generic = line[head + name.len()..].starts_with("::<");
        !name.is_empty() && !generic && !line[..head].ends_with("::")
    });
    roots.map(|(_, name, tail)| (name, tail)).collect()
}

/// What is wrong with the imports of one line of core, if anything is. Words that begin with a capital are types.
fn foreign(line: &str, own: &[String]) -> Option<String> {
    for (root, next) in paths(line) {
        let known = ["crate", "self", "super"].contains(&root) || CRATES.contains(&root) || own.iter().any(|m| m == root);
        let primitive = matches!(root, "str" | "char" | "bool" | "f32" | "f64" | "usize" | "isize")
            || root.strip_prefix(['u', 'i']).is_some_and(|bits| bits.parse::<u8>().is_ok());
        match root {
            "crate" if next != "core" => return Some(format!("crate::{next} lies outside core; pass a value in")),
            "std" if next.is_empty() => return Some("import each module of std on a line of its own".to_owned()),
            "std" if !STD.contains(&next) => {
                return Some(format!("std::{next} is not on the list of pure modules; pass a value in"));
            }
            "std" => {}
            _ if known || primitive || root.starts_with(char::is_uppercase) => {}
            _ => return Some(format!("{root} is none of core's crates ({}); move the work out of core", CRATES.join(", "))),
        }
    }
    None
}

/// The modules that a file declares or imports: they may begin a path, as `fmt::Result` does after `use std::fmt`.
fn imported(code: &[String]) -> Vec<String> {
    let code = code.join(" ");
    let named = code.split(';').filter_map(|s| s.rsplit_once("use ").or_else(|| s.rsplit_once("mod ")));
    let words = named.flat_map(|(_, names)| names.split(|c| !is_word(c)));
    words.filter(|w| w.starts_with(char::is_lowercase)).map(str::to_owned).collect()
}

fn report(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn core_is_pure() {
    let files = sources("src/core");
    let mut broken = Vec::new();
    for file in &files {
        let own = imported(&file.code);
        let mut in_tests = false;
        for (number, line) in file.code.iter().enumerate() {
            in_tests |= line.contains("#[cfg(test)]");
            // Unit tests may use test tools; what core itself is stands above them.
            if in_tests {
                continue;
            }
            let place = format!("{}:{}", file.name, number + 1);
            // The root of an import counts, and not the names that it brings in itself.
            let own = if line.trim_start().starts_with("use ") { &[][..] } else { &own[..] };
            broken.extend(foreign(line, own).map(|why| format!("{place}: {why}")));
            let impure = IMPURE.iter().filter(|(word, _)| has_word(line, word));
            broken.extend(impure.map(|(word, why)| format!("{place}: {word} has no place in core: {why}")));
        }
    }
    report(&broken);
}

#[test]
fn files_can_be_held_in_mind() {
    let files = sources("src");
    let too_long = files.iter().filter(|f| f.text.lines().count() > LINES && !LONGER.iter().any(|(name, _)| *name == f.name));
    let mut broken: Vec<_> = too_long
        .map(|f| format!("{}: {} lines; split it by the words of the design (at most {LINES})", f.name, f.text.lines().count()))
        .collect();
    let needless = LONGER.iter().filter(|(name, _)| !files.iter().any(|f| f.name == *name && f.text.lines().count() > LINES));
    broken.extend(needless.map(|(name, _)| format!("{name} is not too long (any more); take it off the list in tests/tidy.rs")));
    report(&broken);
}

#[test]
fn files_say_what_they_are_for() {
    let silent = sources("src").into_iter().filter(|f| !f.text.starts_with("//! "));
    report(
        &silent
            .map(|f| format!("{}: begin with `//!` and say what the file is for and what it never does", f.name))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_is_left_undone() {
    let mut broken = Vec::new();
    for file in sources("src") {
        for (number, line) in file.code.iter().enumerate() {
            for word in ["todo!", "unimplemented!", "dbg!"] {
                if has_word(line, word) {
                    broken.push(format!("{}:{}: {word} is left; finish it or take it out", file.name, number + 1));
                }
            }
        }
        for (number, line) in file.text.lines().enumerate() {
            for word in ["FIXME", "XXX", "TODO"] {
                if has_word(line, word) {
                    broken.push(format!("{}:{}: {word} is left; do it now, or write an issue", file.name, number + 1));
                }
            }
        }
    }
    report(&broken);
}

#[test]
fn tests_always_run_and_never_sleep() {
    let mut broken = Vec::new();
    for file in sources("tests").into_iter().chain(sources("src")) {
        let in_tests = file.name.starts_with("tests/");
        for (number, line) in file.code.iter().enumerate() {
            let place = format!("{}:{}", file.name, number + 1);
            if line.contains("#[ignore") {
                broken.push(format!("{place}: a test that is ignored proves nothing; make it fast and hermetic, or take it out"));
            }
            if in_tests && ["sleep", "sleep_until"].iter().any(|word| has_word(line, word)) {
                broken.push(format!("{place}: a test that sleeps is slow or flaky; wait for the event, or pass the time in"));
            }
        }
    }
    report(&broken);
}

/// The rules above are only as good as their eyes.
#[test]
fn the_rules_can_see() {
    let text = "a // HashMap\n\"tokio \\\" x\" b r#\"fs \" \"# '\"' '\\'' c /* async\n */ d\n&'a str";
    assert_eq!(code(text), ["a ", " b    c ", " d", "&'a str"]);

    let own = imported(&["use std::fmt;".to_owned(), "use super::{".to_owned(), "  plan, Id};".to_owned(), "x()".to_owned()]);
    assert_eq!(own, ["std", "fmt", "super", "plan"]);
    for line in [
        "use std::collections::BTreeMap;",
        "fmt::Result",
        "use crate::core::plan::Id;",
        "u64::MAX",
        "Self::at(1)",
        "x.parse::<u8>()",
    ] {
        assert_eq!(foreign(line, &own), None, "{line}");
    }
    for line in [
        "use std::fs;",
        "std::env::var(x)",
        "use std::{fs, fmt};",
        "use std::time::Instant;",
        "use crate::store::Store;",
        "use sqlx::query;",
        "serde_json::to_string(x)",
        "let x = tokio::spawn(y);",
    ] {
        assert!(foreign(line, &own).is_some(), "{line}");
    }
    assert!(has_word("HashMap<", "HashMap") && !has_word("MyHashMap<", "HashMap") && !has_word("threads", "thread"));
    assert!(has_word(" println!(", "println!") && !has_word("eprintln!(", "println!"));
}
