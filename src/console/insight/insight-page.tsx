/** Where sessions are lost, and how long everything takes. */
export default function InsightPage() {
  return <h1>Insight</h1>;
}
