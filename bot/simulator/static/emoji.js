/** The emoji that bots and people use most, by Slack's names. */

import { h } from "./dom.js";

const NAMES = `white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎|warning ⚠️|
rotating_light 🚨|red_circle 🔴|large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|
large_purple_circle 🟣|large_brown_circle 🟤|white_circle ⚪|black_circle ⚫|large_red_square 🟥|large_green_square 🟩|
large_orange_square 🟧|large_yellow_square 🟨|large_blue_square 🟦|black_large_square ⬛|white_large_square ⬜|
small_blue_diamond 🔹|small_orange_diamond 🔸|large_blue_diamond 🔷|large_orange_diamond 🔶|
hourglass_flowing_sand ⏳|hourglass ⌛|stopwatch ⏱️|alarm_clock ⏰|clock1 🕐|clock3 🕒|timer_clock ⏲️|calendar 📆|date 📅|spiral_calendar_pad 🗓️|
arrows_counterclockwise 🔄|arrows_clockwise 🔃|repeat 🔁|rewind ⏪|fast_forward ⏩|black_square_for_stop ⏹️|double_vertical_bar ⏸️|
arrow_forward ▶️|arrow_backward ◀️|arrow_up ⬆️|arrow_down ⬇️|arrow_right ➡️|arrow_left ⬅️|arrow_upper_right ↗️|arrow_lower_right ↘️|
leftwards_arrow_with_hook ↩️|arrow_right_hook ↪️|twisted_rightwards_arrows 🔀|chart_with_downwards_trend 📉|chart_with_upwards_trend 📈|
bar_chart 📊|lock 🔒|unlock 🔓|closed_lock_with_key 🔐|key 🔑|mag 🔍|mag_right 🔎|bell 🔔|no_bell 🔕|mute 🔇|loud_sound 🔊|speech_balloon 💬|
thought_balloon 💭|robot_face 🤖|checkered_flag 🏁|triangular_flag_on_post 🚩|small_red_triangle 🔺|small_red_triangle_down 🔻|newspaper 📰|memo 📝|pencil ✏️|pencil2 ✏️|scales ⚖️|balance_scale ⚖️|fire 🔥|eyes 👀|
thumbsup 👍|+1 👍|thumbsdown 👎|-1 👎|ok_hand 👌|wave 👋|clap 👏|pray 🙏|raised_hands 🙌|raised_hand ✋|muscle 💪|point_right 👉|point_up ☝️|point_down 👇|
heart ❤️|green_heart 💚|yellow_heart 💛|broken_heart 💔|tada 🎉|sparkles ✨|star ⭐|star2 🌟|rocket 🚀|zap ⚡|boom 💥|bulb 💡|gear ⚙️|wrench 🔧|
hammer_and_wrench 🛠️|toolbox 🧰|construction 🚧|no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|stop_sign 🛑|shield 🛡️|link 🔗|paperclip 📎|pushpin 📌|round_pushpin 📍|
file_folder 📁|open_file_folder 📂|card_index_dividers 🗂️|page_facing_up 📄|clipboard 📋|scroll 📜|books 📚|package 📦|inbox_tray 📥|outbox_tray 📤|
floppy_disk 💾|computer 💻|desktop_computer 🖥️|satellite_antenna 📡|electric_plug 🔌|battery 🔋|thermometer 🌡️|test_tube 🧪|microscope 🔬|telescope 🔭|mega 📣|loudspeaker 📢|dna 🧬|
airplane ✈️|airplane_departure 🛫|airplane_arriving 🛬|helicopter 🚁|truck 🚚|bird 🐦|snake 🐍|bug 🐛|bee 🐝|turtle 🐢|owl 🦉|hatching_chick 🐣|
sunny ☀️|partly_sunny ⛅|cloud ☁️|umbrella ☔|snowflake ❄️|tornado 🌪️|fog 🌫️|rainbow 🌈|ocean 🌊|seedling 🌱|herb 🌿|
smile 😄|smiley 😃|grin 😁|joy 😂|slightly_smiling_face 🙂|wink 😉|thinking_face 🤔|neutral_face 😐|cry 😢|sob 😭|scream 😱|sweat_smile 😅|
sunglasses 😎|sleeping 😴|zzz 💤|face_with_monocle 🧐|partying_face 🥳|facepalm 🤦|shrug 🤷|detective 🕵️|technologist 🧑‍💻|female-technologist 👩‍💻|
busts_in_silhouette 👥|bust_in_silhouette 👤|handshake 🤝|coffee ☕|pizza 🍕|birthday 🎂|trophy 🏆|medal 🏅|dart 🎯|game_die 🎲|crystal_ball 🔮|
moneybag 💰|heavy_dollar_sign 💲|hash #️⃣|one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|information_source ℹ️|question ❓|grey_question ❔|exclamation ❗|
heavy_plus_sign ➕|heavy_minus_sign ➖|new 🆕|ok 🆗|sos 🆘|recycle ♻️|label 🏷️|ledger 📒|receipt 🧾|wastebasket 🗑️|soon 🔜|back 🔙|infinity ♾️|
shuffle_tracks_button 🔀|vertical_traffic_light 🚦|traffic_light 🚥|ambulance 🚑|fire_engine 🚒|fire_extinguisher 🧯|adhesive_bandage 🩹|stethoscope 🩺|anchor ⚓|compass 🧭`;

/** @type {Map<string, string>} name → character */
export const EMOJI = new Map(
  NAMES.split("|").map((pair) => {
    const [name, character] = pair.trim().split(" ");
    return [name, character];
  }),
);

/** Build the emoji of this name, or its `:name:` when nobody knows it. */
export function emoji(name) {
  const character = EMOJI.get(name);
  if (!character) return document.createTextNode(`:${name}:`);
  return h("span", { class: "emoji", role: "img", "aria-label": `:${name}:`, title: `:${name}:`, text: character });
}

/** Return a string in which known `:names:` are characters; for places that hold no nodes, such as options. */
export function emojized(text) {
  return String(text).replace(/:([a-z0-9_+-]+):/g, (all, name) => EMOJI.get(name) ?? all);
}

/** Return text nodes and emoji for a plain text. */
export function withEmoji(text) {
  const parts = String(text).split(/:([a-z0-9_+-]+):/g);
  const out = [];
  for (let i = 0; i < parts.length; i += 1) {
    if (i % 2 === 0) {
      if (parts[i]) out.push(document.createTextNode(parts[i]));
    } else if (EMOJI.has(parts[i])) out.push(emoji(parts[i]));
    else {
      // Not an emoji: the colon may open another name ("12:30:fire:"), so give it back to the text.
      parts[i + 1] = `:${parts[i]}:${parts[i + 1] ?? ""}`;
    }
  }
  return out;
}
