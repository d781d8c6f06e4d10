// The recording page's "Sounds like this part": the loop that is drawn in the scope fills its fields.
export default function part(el) {
  const scope = document.querySelector(".scope");
  if (!scope) return;
  const fill = () => {
    const { from, to } = scope.dataset;
    if (from === undefined || to === undefined) return;
    el.querySelector("[name=from]").value = (+from).toFixed(2);
    el.querySelector("[name=to]").value = (+to).toFixed(2);
  };
  scope.addEventListener("am:region", fill);
  fill();
}
