//! The pictures of the README: what people see in both chats, drawn from the messages that the stand-ins recorded of the
//! real program. `IMAGE2SONG_UPDATE_PICTURES=1` writes them anew; it takes Chromium, Noto Sans CJK and Noto Color Emoji.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use image2song_contract::html::escape;
use image2song_fakes::discord::record::Posted;
use image2song_fakes::telegram::record::BotMessage;
use serde_json::{Value, json};

use crate::chromium::Browser;
use crate::program::{fixture_path, has_model};
use crate::{discord, telegram};

/// All pictures together, in bytes.
const MOST_BYTES: u64 = 300_000;

/// A picture: its name, the class and the messages of its page, and every line that a person must find on it.
struct Picture {
    name: &'static str,
    class: &'static str,
    messages: String,
    lines: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures")
}

fn data_url(kind: &str, bytes: &[u8]) -> String {
    format!("data:image/{kind};base64,{}", BASE64.encode(bytes))
}

fn photo(name: &str) -> String {
    data_url("jpeg", &fs::read(fixture_path(name)).unwrap())
}

/// Discord's Markdown as far as answers use it (marks that are escaped, and links), and that text without any marks.
fn markdown(text: &str) -> (String, String) {
    let (mut html, mut plain) = (String::new(), String::new());
    let (mut chars, mut name) = (text.chars(), None::<usize>);
    while let Some(c) = chars.next() {
        let shown = match c {
            '\\' => chars.next().unwrap(),
            '[' => {
                name = Some(html.len());
                continue;
            }
            ']' if name.is_some() => {
                assert_eq!(chars.next(), Some('('), "a link in {text}");
                let url: String = chars.by_ref().take_while(|c| *c != ')').collect();
                html.insert_str(name.take().unwrap(), &format!("<a href=\"{}\">", escape(&url)));
                html += "</a>";
                continue;
            }
            c => {
                assert!(!"*_~|`".contains(c), "{c} in {text} means something that is not drawn");
                c
            }
        };
        html += &escape(&shown.to_string());
        plain.push(shown);
    }
    (html, plain)
}

/// Rows of buttons, each with its text and a class.
fn rows(rows: impl IntoIterator<Item = Vec<(String, String)>>, lines: &mut Vec<String>) -> String {
    let mut html = String::new();
    for row in rows {
        html += "<div class=\"row\">";
        for (text, class) in row {
            html += &format!("<span class=\"{class}\">{}</span>", escape(&text));
            lines.push(text);
        }
        html += "</div>";
    }
    html
}

fn by_bot(reply: &str, content: &str) -> String {
    format!(
        "<div class=\"message bot\">{reply}<span class=\"avatar\">♪</span><div><b class=\"who\">image2song</b> \
         <span class=\"app\">APP</span></div><div>{content}</div></div>"
    )
}

/// A question with a photo in a channel, and the answer.
fn in_discord(photo: &str, answer: &Posted) -> Picture {
    let mut lines = Vec::new();
    let mut content = String::new();
    let mut add = |before: &str, text: &Value, after: &str, content: &mut String| {
        let Some(text) = text.as_str() else { return };
        let (html, plain) = markdown(text);
        lines.extend(plain.lines().map(str::to_owned));
        *content += &format!("{before}{html}{after}");
    };
    for embed in &answer.embeds {
        content += &format!("<div class=\"embed\" style=\"border-color: #{:06x}\">", embed["color"].as_u64().unwrap());
        add("<p>", &embed["description"], "</p>", &mut content);
        for field in embed["fields"].as_array().unwrap() {
            add("<h2>", &field["name"], "</h2>", &mut content);
            add("<p>", &field["value"], "</p>", &mut content);
        }
        add("<footer>", &embed["footer"]["text"], "</footer>", &mut content);
        content += "</div>";
    }
    let button = |item: &Value| (item["label"].as_str().unwrap().to_owned(), format!("style-{}", item["style"]));
    let all = answer.components.iter().map(|row| row["components"].as_array().unwrap().iter().map(button).collect());
    content += &rows(all, &mut lines);
    let asker = format!(
        "<div class=\"message\"><span class=\"avatar\">A</span><div><b class=\"who\">Ada</b></div><div>\
         <span class=\"mention\">@image2song</span><img class=\"photo\" alt=\"\" src=\"{photo}\"></div></div>"
    );
    Picture {
        name: "discord",
        class: "discord",
        messages: asker + &by_bot("<div class=\"reply\">Ada @image2song</div>", &content),
        lines,
    }
}

/// The explanation, which one person sees.
fn why_in_discord(why: &Posted) -> Picture {
    assert!(why.is_ephemeral && why.embeds.is_empty());
    let (text, plain) = markdown(&why.text);
    let file = &why.files[0];
    let (alt, source) = (escape(file.alt.as_deref().unwrap()), data_url("png", &file.bytes));
    let content = format!(
        "{text}<img class=\"sent\" alt=\"{alt}\" src=\"{source}\"><div class=\"only\">👁 Only you can see this</div>"
    );
    Picture { name: "why", class: "discord wide", messages: by_bot("", &content), lines: vec![plain] }
}

/// A photo in a private chat, and the answer.
fn in_telegram(photo: &str, answer: &BotMessage) -> Picture {
    let mut lines: Vec<String> = answer.text.lines().map(str::to_owned).collect();
    let row = |row: &Vec<image2song_fakes::telegram::keyboard::Button>| {
        row.iter().map(|button| (button.text.clone(), String::new())).collect()
    };
    let keyboard = rows(answer.keyboard.iter().map(row), &mut lines);
    assert_eq!(answer.parse_mode.as_deref(), Some("HTML"));
    let messages = format!(
        "<div class=\"asks\"><img alt=\"\" src=\"{photo}\"></div><div class=\"bubble\"><div class=\"quote\">\
         Ada<br>Photo</div><p>{}</p></div>{keyboard}",
        answer.source
    );
    Picture { name: "telegram", class: "telegram", messages, lines }
}

/// Asks both bots.
async fn record() -> Vec<Picture> {
    let world = discord::World::new().await;
    let serving = world.serve().await;
    let text = world.discord.mention();
    world.discord.say(world.channel, world.ada, &text, vec![discord::World::photo("beach_sunset.jpg")]);
    let answer = world.discord.next_message().await;
    let why = world.press(&answer, "Why?").await;
    let mut pictures = vec![in_discord(&photo("beach_sunset.jpg"), &answer), why_in_discord(&why)];
    assert!(serving.stop().success());

    let world = telegram::World::new().await;
    let serving = world.serve();
    world.photo("snowy_mountain.jpg", "");
    pictures.push(in_telegram(&photo("snowy_mountain.jpg"), &world.message().await));
    assert!(serving.stop().success());
    pictures
}

/// Draws a picture, checks that it says what was recorded, and gives its bytes.
fn draw(browser: &mut Browser, picture: &Picture, dir: &Path) -> Vec<u8> {
    let page =
        include_str!("chats.html").replace("{{class}}", picture.class).replace("{{messages}}", &picture.messages);
    let path = dir.join(format!("{}.html", picture.name));
    fs::write(&path, page).unwrap();
    browser.screen(960, 1400, "light");
    browser.open(&format!("file://{}", path.display()));
    browser.wait_for("[...document.images].every(image => image.naturalWidth > 0)");
    let seen = browser.value("document.querySelector('main').innerText");
    let seen = seen.as_str().unwrap();
    for line in picture.lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
        assert!(seen.contains(line), "{}: {line:?} is not in {seen}", picture.name);
    }
    let frame = browser.value(
        "(({x, y, width, height}) => ({x, y, width, height}))(document.querySelector('main').getBoundingClientRect())",
    );
    let clip =
        json!({"x": frame["x"], "y": frame["y"], "width": frame["width"], "height": frame["height"], "scale": 1.5});
    let wanted = json!({"format": "webp", "quality": 82, "clip": clip, "captureBeyondViewport": true});
    let shot = browser.call("Page.captureScreenshot", wanted);
    BASE64.decode(shot["data"].as_str().unwrap().as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_see_in_the_chats_is_in_the_readme() {
    if has_model() {
        let pictures = record().await;
        let draw_all = move || {
            let Some(mut browser) = Browser::start() else { return };
            let dir = tempfile::tempdir().unwrap();
            for picture in &pictures {
                let bytes = draw(&mut browser, picture, dir.path());
                if std::env::var_os("IMAGE2SONG_UPDATE_PICTURES").is_some() {
                    fs::create_dir_all(folder()).unwrap();
                    fs::write(folder().join(format!("{}.webp", picture.name)), bytes).unwrap();
                }
            }
            assert_eq!(browser.faults, [""; 0]);
        };
        tokio::task::spawn_blocking(draw_all).await.unwrap();
    }
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let mut n_bytes = 0;
    for name in ["discord", "why", "telegram"] {
        assert!(readme.contains(&format!("docs/pictures/{name}.webp")), "{name} is not in the README");
        n_bytes += fs::metadata(folder().join(format!("{name}.webp"))).unwrap().len();
    }
    assert!(n_bytes <= MOST_BYTES, "{n_bytes} bytes of pictures");
}

#[test]
fn marks_and_links_are_drawn() {
    let (html, plain) = markdown("1. A \\*b\\* <c>: [You\\]Tube](https://e.org/?a=1&b=%29) · x");
    assert_eq!(plain, "1. A *b* <c>: You]Tube · x");
    assert_eq!(html, "1. A *b* &lt;c&gt;: <a href=\"https://e.org/?a=1&amp;b=%29\">You]Tube</a> · x");
}
