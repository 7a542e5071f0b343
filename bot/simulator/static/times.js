/** Moments as people read them, in their own time zone. */

const DAY = 86_400_000;
const intl = (options) => new Intl.DateTimeFormat("en", options);
const CLOCK = intl({ hour: "numeric", minute: "2-digit" });
const CLOCK_SECONDS = intl({ hour: "numeric", minute: "2-digit", second: "2-digit" });
const LONG = intl({ weekday: "long", month: "long", day: "numeric", year: "numeric" });
const MONTH_DAY_YEAR = intl({ month: "long", day: "numeric", year: "numeric" });
const SHORT = intl({ month: "short", day: "numeric", year: "numeric" });
const WEEKDAY = intl({ weekday: "long", month: "long", day: "numeric" });

/** Return the moment of a Slack `ts` ("1700000000.000100"). */
export function momentOf(ts) {
  return new Date(Number.parseFloat(ts) * 1000);
}

/** Return "9:41 AM". */
export function clock(date) {
  return CLOCK.format(date);
}

/** Return the whole date and time, for tooltips. */
export function full(date) {
  return `${LONG.format(date)} at ${CLOCK_SECONDS.format(date)}`;
}

function daysAgo(date, now = new Date()) {
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  return Math.round((midnight(now) - midnight(date)) / DAY);
}

function pretty(date, format) {
  return { 0: "today", 1: "yesterday", "-1": "tomorrow" }[daysAgo(date)] ?? format(date);
}

/** Return "Today", "Yesterday" or "Monday, March 4", for the line between two days. */
export function dayName(date) {
  const name = pretty(date, (d) => (d.getFullYear() === new Date().getFullYear() ? WEEKDAY.format(d) : LONG.format(d)));
  return name[0].toUpperCase() + name.slice(1);
}

/** Return true when both moments lie on one day here. */
export function sameDay(one, other) {
  return one.toDateString() === other.toDateString();
}

/** Return "2 minutes ago" or "in 2 minutes". */
export function ago(date, now = new Date()) {
  const seconds = Math.round((now.getTime() - date.getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 45) return seconds >= 0 ? "just now" : "in a moment";
  const [count, unit] =
    size < 2700 ? [size / 60, "minute"] : size < 79_200 ? [size / 3600, "hour"] : [size / 86_400, "day"];
  const rounded = Math.max(1, Math.round(count));
  const words = `${rounded} ${unit}${rounded === 1 ? "" : "s"}`;
  return seconds >= 0 ? `${words} ago` : `in ${words}`;
}

const TOKENS = {
  date_num: (d) => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-${String(d.getDate()).padStart(2, "0")}`,
  date: (d) => MONTH_DAY_YEAR.format(d),
  date_short: (d) => SHORT.format(d),
  date_long: (d) => LONG.format(d),
  date_slash: (d) => d.toLocaleDateString("en"),
  date_pretty: (d) => pretty(d, TOKENS.date),
  date_short_pretty: (d) => pretty(d, TOKENS.date_short),
  date_long_pretty: (d) => pretty(d, TOKENS.date_long),
  day_divider_pretty: (d) => dayName(d),
  time: (d) => clock(d),
  time_secs: (d) => CLOCK_SECONDS.format(d),
  ago: (d) => ago(d),
};

/**
 * Return a `<!date^…>` text: every known token replaced, its first letter large as Slack does at a start.
 * @param {string|number} epoch seconds
 * @param {string} format such as "{date_short_pretty} at {time}"
 * @param {string} fallback used when the epoch is no number
 */
export function slackDate(epoch, format, fallback) {
  const date = new Date(Number(epoch) * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  return format.replace(/\{([a-z_]+)\}/g, (all, token, at) => {
    const words = TOKENS[token]?.(date) ?? all;
    return at === 0 ? words[0].toUpperCase() + words.slice(1) : words;
  });
}
