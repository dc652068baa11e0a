import { dismiss, notices } from '../state/notices.ts'

/** What was done or refused, also for those who hear the page. */
export const NoticeList = () => (
  <div class="notices" role="status" aria-live="polite">
    {notices.value.map(({ key, text, tone }) => (
      <p key={key} class={`notice ${tone}`}>
        {text}
        <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismiss(key)}>
          ×
        </button>
      </p>
    ))}
  </div>
)
