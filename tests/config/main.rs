//! The configuration as people meet it: what is accepted, what is refused and in which words.

mod accepted;
mod examples;
mod files;
mod hostile;
mod lints;
mod random;
mod refused;

use dawnwatch::config::{Loaded, Refused, load};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Files of a configuration by name, in a folder of their own.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn load(&self, profile: Option<&str>, environment: &[(&str, &str)]) -> Result<Loaded, Refused> {
        let environment: Vec<_> = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load(self.0.path(), profile, &environment)
    }

    /// The errors as printed, one a line, without the folder.
    fn errors(&self, profile: Option<&str>, environment: &[(&str, &str)]) -> String {
        let refused = self.load(profile, environment).expect_err("the configuration is accepted");
        self.lines(&refused.errors)
    }

    fn lines(&self, findings: &[dawnwatch::config::Finding]) -> String {
        let text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
        text.replace(&format!("{}/", shown(self.0.path())), "").replace(&shown(self.0.path()), ".")
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What most cases start from: one of everything, without errors or warnings.
const BASE: &str = r#"
timezone = "Asia/Seoul"
tell = ["terminal"]

[sources.airflow]
kind = "airflow"
url = "http://127.0.0.1:8080"
username = "watch"
password = { env = "AIRFLOW_PASSWORD" }

[sources.jobs]
kind = "http"
url = "http://127.0.0.1:9000/jobs"
items = "$.jobs[*]"
id = "$.name"
state = "$.state"

[sources.tables]
kind = "http"
url = "https://tables.example.com/{id}"
timestamp = "$.newest"

[calendars.kr]
holidays = ["builtin:KR"]

[checks.sales_mart]
source = "airflow"

[groups.mart]
source = "airflow"
match = { tags = ["mart"] }

[dashboards.exec]
needs = ["sales_mart", "group:mart"]
ready_by = "09:00"
tell = ["terminal"]

[chats.terminal]
kind = "console"
"#;
