// Texts whose contrast with what lies behind them is below 4.5:1 (WCAG 2.2, 1.4.3).

const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const luminance = ([red, green, blue]) =>
  0.2126 * channel(red / 255) + 0.7152 * channel(green / 255) + 0.0722 * channel(blue / 255);

function parse(colour) {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
  return colour.startsWith("color(srgb") ? [255 * red, 255 * green, 255 * blue, alpha] : [red, green, blue, alpha];
}

function ground(element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.unshift(parse(getComputedStyle(at).backgroundColor));
  const over = (below, above) => below.map((value, index) => value + (above[index] - value) * above[3]);
  return layers.reduce(over, [255, 255, 255]);
}

const low = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
  const style = getComputedStyle(element), colour = parse(element instanceof SVGElement ? style.fill : style.color);
  const [bright, dark] = [luminance(colour), luminance(ground(element))].sort((one, other) => other - one);
  const ratio = (bright + 0.05) / (dark + 0.05);
  if (ratio < 4.5) low.push([ratio.toFixed(2), element.tagName, element.textContent.slice(0, 30)]);
}
return low;
