use dawnwatch::core::{message::plain, plan::Language, wording::word};
#[path = "../tests/support/messages.rs"]
mod messages;
fn main() {
    for (n, m) in messages::samples() {
        for l in [Language::En, Language::Ko] {
            let t = word(&m, l);
            println!("=== {n} {l:?}\n[{}] {}", plain(&t.preview).chars().count(), plain(&t.preview));
            println!("{}\n{}", t.title.as_ref().map(|x| plain(x)).unwrap_or_default(), plain(&t.lead));
            for (a, b) in &t.facts {
                println!("  {a}: {}", plain(b));
            }
            if let Some((h, ls)) = &t.section {
                println!("  {h}");
                for x in ls {
                    println!("   - {}", plain(x));
                }
            }
            println!("{}", plain(&t.foot));
            for (a, b) in &t.links {
                println!("  <{a}> {b}");
            }
        }
    }
}
