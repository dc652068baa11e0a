import { useEffect, useRef } from 'preact/hooks'

/** Lines that grow at their end, which is followed as long as it is in sight. */
export function LogBox({ text, label }: { text: string; label: string }) {
  const box = useRef<HTMLPreElement>(null)
  const isAtEnd = useRef(true)
  useEffect(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [text])
  const onScroll = ({ currentTarget }: Event): void => {
    const { scrollTop, scrollHeight, clientHeight } = currentTarget as HTMLElement
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24
  }
  return (
    <pre ref={box} class="log" tabIndex={0} role="log" aria-live="off" aria-label={label} onScroll={onScroll}>
      {text}
    </pre>
  )
}
